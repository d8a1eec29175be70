/* Draws a recorded message or view the way Slack's desktop client shows it. */
import { createRoot } from "react-dom/client";
import { flushSync } from "react-dom";
import UPNG from "upng-js";
import "slack-blocks-to-jsx/dist/style.css";
import "./slack.css";
import "./blocks.css";
import { Blocks } from "./blocks.jsx";
import { Home, Message, Modal } from "./frames.jsx";
import { revealed } from "./mended.js";

const FRAMES = { home: Home, modal: Modal };

function Page({ snapshot, theme }) {
  const Frame = FRAMES[snapshot.type] ?? Message;
  return (
    <Frame snapshot={snapshot}>
      <Blocks snapshot={snapshot} theme={theme} />
    </Frame>
  );
}

/* Called once per picture; the height is what the picture is cropped to. */
window.draw = async (snapshot, theme) => {
  if (!has("Lato")) throw new Error("There is no Lato here; on Debian: apt install fonts-lato");
  document.documentElement.dataset.theme = theme;
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  flushSync(() => createRoot(place).render(<Page snapshot={snapshot} theme={theme} />));
  revealed(place);
  await document.fonts.ready;
  place.querySelectorAll('[class$="_plot"] svg').forEach(thin);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return Math.ceil(place.firstElementChild.getBoundingClientRect().height);
};

/* The library prints the names of all categories, one over the other where there are many. */
function thin(chart) {
  const names = [...chart.querySelectorAll('text[text-anchor="middle"]:not([transform])')];
  const row = names.filter((one) => one.getAttribute("y") === names[0].getAttribute("y"));
  if (row.length < 2) return;
  const boxes = row.map((one) => one.getBoundingClientRect());
  const room = (boxes.at(-1).x - boxes[0].x) / (row.length - 1);
  const each = Math.ceil((Math.max(...boxes.map((box) => box.width)) + 6) / room);
  row.forEach((one, index) => index % each && one.remove());
  if (names.length === row.length) chart.setAttribute("viewBox", "0 0 520 280"); // no name below them
}

/* A font that is missing makes no difference to the one after it. */
function has(font) {
  const pen = document.createElement("canvas").getContext("2d");
  const width = (family) => ((pen.font = `64px ${family}`), pen.measureText("CostCompass").width);
  return width(`${font}, monospace`) !== width("monospace");
}

/* A picture of few enough colours for a palette weighs a third, and nobody sees the difference. */
window.smaller = async (picture) => {
  const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
  const { width, height } = bitmap;
  const pen = new OffscreenCanvas(width, height).getContext("2d");
  pen.drawImage(bitmap, 0, 0);
  const encoded = UPNG.encode([pen.getImageData(0, 0, width, height).data.buffer], width, height, 256);
  const address = await new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(new Blob([encoded]));
  });
  return address.slice(address.indexOf(",") + 1);
};
