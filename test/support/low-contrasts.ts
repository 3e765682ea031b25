/** Runs in the page, hence text: text whose contrast with what lies behind it is below the 4.5 of WCAG 1.4.3. */
export const LOW_CONTRASTS = `(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  // Whatever way a colour is written in, the canvas says what it comes to.
  const parse = (color) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const channel = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const style = getComputedStyle(at);
      // The strongest colour of a gradient: there it is hardest to read.
      const first = /gradient\\([^,]*, *((?:rgb|color|oklab)[^)]*\\))/.exec(style.backgroundImage);
      const color = parse(first === null ? style.backgroundColor : first[1]);
      if (color[3] > 200) return color;
    }
    return [255, 255, 255, 255];
  };
  const low = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement;
    if (node.textContent.trim() === "" || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION", "TITLE"].includes(element.tagName)) continue;
    if (element.closest("svg") !== null) continue;
    const one = luminance(parse(getComputedStyle(element).color));
    const other = luminance(behind(element));
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) low.push(ratio.toFixed(2) + ": " + node.textContent.trim().slice(0, 60));
  }
  return low;
})()`;
