// How the pages hold together: no sideways scrolling, keyboard, and pictures to look at.
import type { Request } from "@playwright/test";
import { password } from "../host.js";
import { expect, logIn, ready, test } from "./paddock.js";

const pages: [string, string][] = [
  ["dashboard", "/"],
  ["nodes", "/nodes"],
  ["guests", "/guests"],
  ["guests-filtered-empty", "/guests?q=nothing-like-it"],
  ["guest", "/guests/lxc/files"],
  ["guest-timeline", "/guests/lxc/files/timeline"],
  ["guest-configuration", "/guests/lxc/files/configuration"],
  ["guest-snapshots", "/guests/lxc/mail/snapshots"],
  ["guest-exec", "/guests/lxc/files/exec?command=ls%20-l%20'a%20b'"],
  ["guest-clone", "/guests/lxc/mail/do/clone"],
  ["guest-delete", "/guests/lxc/mail/plan/delete"],
  ["guest-plan", "/guests/lxc/files/plan/shutdown"],
  ["guests-plan", "/guests/plan?action=stop&guest=lxc/files&guest=lxc/mail"],
  ["guest-new", "/guests/new"],
  ["guest-new-size", "/guests/new?backend=lxc&name=web1&step=size"],
  ["guest-new-check", "/guests/new/plan?backend=lxc&name=web1&source=template&template=busybox"],
  ["history", "/history"],
  ["history-wrong", "/history?guest=a%20b&backend=xen&from=soon&colour=red"],
  ["history-empty", "/history?text=nothing-like-it&result=failed"],
  ["operation", "/history/1"],
  ["password", "/account/password"],
  ["not-found", "/guests/lxc/nobody"],
];

for (const [name, path] of pages) {
  for (const width of [1440, 390]) {
    test(`${name} at ${width} does not scroll sideways @look`, async ({ admin, js }, info) => {
      await admin.setViewportSize({ width, height: width === 390 ? 844 : 900 });
      await admin.goto(path);
      if (js && !["password", "not-found"].includes(name) && width > 720) {
        await expect(admin.getByText("Live", { exact: true })).toBeVisible();
      }
      await expect(admin.getByRole("heading").first()).toBeVisible();
      for (const scheme of ["light", "dark"] as const) {
        // Without motion, or the picture is of the way from one scheme to the other.
        await admin.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
        // What is inherited has its new colour a frame later.
        await admin.waitForTimeout(50);
        await admin.screenshot({ path: info.outputPath(`${name}-${width}-${scheme}.png`), fullPage: true });
      }
      if (js) {
        const over = await admin.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(over).toBeLessThanOrEqual(0);
      }
    });
  }
}

test("the first Tab leads to the content, and the log in works by keyboard alone", async ({ page, js }) => {
  await page.goto("/login");
  if (js) await page.waitForLoadState("networkidle");
  await page.getByLabel("Username").focus();
  await page.keyboard.type("admin");
  await page.keyboard.press("Tab");
  await page.keyboard.type("a password of the browser tests");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL((url) => url.pathname === "/");
  // The new page is there once its own WebAssembly is.
  await ready(page, js);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
});

test("a first visit takes less than 350 KB, the log-in included", async ({ page, js }) => {
  test.skip(!js, "there are no scripts to fetch");
  const asked: Request[] = [];
  page.on("requestfinished", (request) => asked.push(request));
  await logIn(page, password);
  await ready(page, js);
  await page.waitForLoadState("load");
  const sizes = await Promise.all(asked.map(async (request) => (await request.sizes()).responseBodySize));
  expect(sizes.length).toBeGreaterThan(4);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(350_000);
});
