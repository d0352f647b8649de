// What a person sees of the release server at $BASE: bytes of a first visit, time until the table is there, frames while it
// scrolls. Started by `make bench`; tells one line of JSON.
import { chromium } from "@playwright/test";

const { BASE, PASSWORD, TRIES = "20" } = process.env;
// A row of the table of guests, whatever else the page has.
const row = "main table tbody tr";
// So long the rows scroll, milliseconds.
const SCROLLING = 5000;

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
  ],
});

/** Counts every byte that comes over the wire from now on: heads and bodies as they are sent. */
async function counted(page) {
  const wire = await page.context().newCDPSession(page);
  const told = { bytes: 0, requests: 0 };
  await wire.send("Network.enable");
  wire.on("Network.loadingFinished", (event) => {
    told.bytes += event.encodedDataLength;
    told.requests += 1;
  });
  return told;
}

/** Until the page is in the hands of WebAssembly: one that never comes to that would cost little, and be worth nothing. */
async function settled(page) {
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
  await page.waitForTimeout(3000);
}

// Somebody who was never here logs in, and sees the dashboard. That log-in serves all: its cookies go into each new context,
// whose cache is empty.
const first = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await first.newPage();
const visited = await counted(page);
await page.goto(`${BASE}/login`);
await page.getByLabel("Username").fill("admin");
await page.getByLabel("Password").fill(PASSWORD);
await page.getByRole("button", { name: "Log in" }).click();
await page.waitForURL((url) => url.pathname !== "/login");
await settled(page);
const { bytes, requests } = visited;
const state = await first.storageState();
await first.close();

/** A page that was never here before. */
async function visit(use) {
  const context = await browser.newContext({ storageState: state, viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  const told = await use(page, context);
  await context.close();
  return told;
}

/** The list of guests instead, with all that it is told of them. */
const list = await visit(async (page) => {
  const told = await counted(page);
  await page.goto(`${BASE}/guests`, { waitUntil: "load" });
  await settled(page);
  return told;
});

/** From the address being typed until the browser has painted a row. */
const cold = () => visit(async (page) => {
  await page.addInitScript((row) => {
    const look = () => {
      if (document.querySelector(row)) requestAnimationFrame(() => { window.seenMs = performance.now(); });
      else requestAnimationFrame(look);
    };
    look();
  }, row);
  await page.goto(`${BASE}/guests`, { waitUntil: "commit" });
  await page.waitForFunction(() => window.seenMs !== undefined);
  return page.evaluate(() => window.seenMs);
});
const coldMs = [];
for (let i = 0; i < Number(TRIES); i += 1) coldMs.push(await cold());

/** How long each frame lasts, while `step` moves what scrolls by so many pixels a frame. */
const frames = (page, step, time) => page.evaluate(([row, step, time]) => new Promise((tell) => {
  let box = document.querySelector(row);
  while (box && !(box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY))) {
    box = box.parentElement;
  }
  box ??= document.scrollingElement;
  const all = [];
  let last = performance.now();
  const begun = last;
  const frame = (now) => {
    all.push(now - last);
    last = now;
    box.scrollTop += step;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1) box.scrollTop = 0;
    if (now - begun < time) requestAnimationFrame(frame);
    // The first one began before anything moved.
    else tell(all.slice(1));
  };
  requestAnimationFrame(frame);
}), [row, step, time]);

const { framesMs, stillMs } = await visit(async (page) => {
  await page.goto(`${BASE}/guests`);
  await settled(page);
  await page.locator(row).first().waitFor();
  const still = (await frames(page, 0, 1000)).sort((a, b) => a - b);
  return { framesMs: await frames(page, 90, SCROLLING), stillMs: still[Math.floor(still.length / 2)] };
});

await browser.close();
console.log(JSON.stringify({ bytes, requests, list_bytes: list.bytes, cold_ms: coldMs, frames_ms: framesMs, still_ms: stillMs }));
