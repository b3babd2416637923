// What a camera sees that is held before a page's QR codes.
import { writeFileSync } from 'node:fs';

const [width, height] = [640, 480];

/** film writes drawn codes as a film in YUV4MPEG2, each in five frames a second apart: codes are the paths of a QrCode. */
export function film(file, codes) {
  const colour = Buffer.alloc((width / 2) * (height / 2) * 2, 128);
  const parts = [Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420jpeg\n`)];
  for (const { path, side } of codes) parts.push(Buffer.from('FRAME\n'), frame(path, side), colour);
  writeFileSync(file, Buffer.concat(parts));
}

/** frame draws a code in the middle of a grey wall, as large as there is room. */
function frame(path, side) {
  const scale = Math.floor(height / side);
  const [left, top] = [(width - side * scale) >> 1, (height - side * scale) >> 1];
  const light = Buffer.alloc(width * height, 96);
  const fill = (x, y, wide, high, value) => {
    for (let row = top + y * scale; row < top + (y + high) * scale; row++) light.fill(value, row * width + left + x * scale, row * width + left + (x + wide) * scale);
  };
  fill(0, 0, side, side, 235);
  for (const [, x, y, run] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) fill(+x, +y, +run, 1, 16);
  return light;
}

/** codesShown gathers the codes that a page shows one after the other, until none is missing. */
export function codesShown(page, count) {
  return page.getByRole('img', { name: /^A QR code for/ }).evaluate(
    (svg, most) =>
      new Promise((done) => {
        const seen = new Set();
        const look = () => {
          seen.add(svg.querySelector('path').getAttribute('d'));
          if (seen.size < most) return;
          watcher.disconnect();
          done([...seen].map((path) => ({ path, side: svg.viewBox.baseVal.width })));
        };
        const watcher = new MutationObserver(look);
        watcher.observe(svg, { subtree: true, attributes: true });
        look();
      }),
    count,
  );
}
