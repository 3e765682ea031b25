import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html } from "./html.ts";

describe("html", () => {
  it("escapes every value that is not HTML already", () => {
    expect(html`<p title="${'"x"'}">${"<b>&'"}</p>`.text).toBe('<p title="&quot;x&quot;">&lt;b&gt;&amp;&#39;</p>');
    expect(html`<p>${html`<b>${"<"}</b>`}</p>`.text).toBe("<p><b>&lt;</b></p>");
  });

  it("joins lists, writes numbers and leaves null out", () => {
    expect(html`${[1, "<", null, html`<b>x</b>`]}|${null}`.text).toBe("1&lt;<b>x</b>|");
  });

  it("shows controls and turned text as what they are not: harmless", () => {
    expect(html`${"a\u0000b\u202Ec\u009bd"}`.text).toBe("a\uFFFDb\uFFFDc\uFFFDd");
    expect(html`${"tab\tand\nline"}`.text).toBe("tab\tand\nline");
  });

  it("never lets a value open a tag or close a quote", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(html`${value}`.text).not.toMatch(/[<>"']/);
      }),
    );
  });
});
