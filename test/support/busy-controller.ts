/** A control process that takes one batch of facts and then nothing any more, because it is busy with itself for ever. */
process.on("message", (message: { readonly kind: string; readonly batch?: { readonly number: number } }) => {
  if (message.kind === "begin") process.send?.({ kind: "ready" });
  if (message.kind !== "facts") return;
  if (message.batch?.number === 1) {
    process.send?.({ kind: "took", number: 1 });
    return;
  }
  for (;;);
});
