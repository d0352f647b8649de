// What somebody who was never here comes to do, in clicks and seconds, where a thousand other guests are.
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { define, directory, lxc, lxcInfo } from "../host.js";
import { container, ended, expect, open, test } from "./paddock.js";

const COUNT = 1000;
const others = Array.from({ length: COUNT }, (_, number) => `herd-${String(number).padStart(4, "0")}`);
const own: string[] = [];

test.describe.configure({ mode: "serial" });
test.beforeAll(({}, info) => {
  if (info.project.name !== "wasm") return;
  for (const name of others) define(name);
});
test.afterAll(() => {
  for (const name of own) {
    lxc("lxc-stop", "-n", name, "-k");
    lxc("lxc-destroy", "-n", name);
  }
  for (const name of others) rmSync(directory(name), { recursive: true, force: true });
});
test.beforeEach(({ js }) => test.skip(!js, "these are counted with scripts; without, each part of them has a test of its own"));

/** A container that runs. */
async function running(admin: Page, name: string, tag?: string) {
  own.push(name);
  await container(admin, name);
  if (tag) appendFileSync(join(directory(name), "config"), `lxc.group = ${tag}\n`);
  await ended(admin, "/api/guests/act", { backend: "lxc", name, action: "start" });
}

/** Counts clicks, and the seconds from the first to `told`. */
class Way {
  clicks = 0;
  private readonly begun = Date.now();
  async click(target: Locator) {
    this.clicks += 1;
    await target.click();
  }
  /** To the page of the guest of this name, from wherever one is. */
  async find(page: Page, name: string) {
    await this.click(page.getByRole("searchbox", { name: "Find anything" }));
    await page.keyboard.type(name);
    await expect(page.getByRole("option").first()).toContainText(name);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/guests/lxc/${name}`);
  }
  told(what: string) {
    console.log(`${what}: ${this.clicks} clicks, ${((Date.now() - this.begun) / 1000).toFixed(1)} s`);
    return this.clicks;
  }
}

test("a guest among a thousand is found and rebooted", async ({ admin, js }) => {
  await running(admin, "needle");
  await open(admin, js, "/");
  const way = new Way();
  await way.find(admin, "needle");
  await way.click(admin.getByRole("button", { name: "Reboot", exact: true }));
  await expect(admin.getByRole("listitem").filter({ hasText: /succeeded\s*Reboot/ })).toBeVisible();
  expect(way.told("find one and reboot it")).toBe(2);
  expect(lxcInfo("needle")).toBe("RUNNING");
});

test("who stopped a guest is told", async ({ admin, js }) => {
  await running(admin, "db1");
  await ended(admin, "/api/guests/act", { backend: "lxc", name: "db1", action: "stop" });
  await open(admin, js, "/");
  const way = new Way();
  await way.find(admin, "db1");
  await way.click(admin.getByRole("link", { name: "Timeline", exact: true }));
  const row = admin.locator("main ol.ops li").filter({ hasText: "Stop" }).first();
  await expect(row).toContainText("admin");
  expect(way.told("who stopped it")).toBe(2);
});

test("all guests with a tag are stopped", async ({ admin, js }) => {
  const names = ["lab-a", "lab-b", "lab-c"];
  for (const name of names) await running(admin, name, "lab");
  await open(admin, js, "/");
  const way = new Way();
  await way.click(admin.getByRole("link", { name: "Guests", exact: true }));
  await way.click(admin.getByRole("combobox", { name: "Filter" }));
  await admin.keyboard.type("tag:lab");
  await expect(admin.getByText("3 of ")).toBeVisible();
  await way.click(admin.getByRole("checkbox", { name: "Choose all that are shown" }));
  await way.click(admin.getByRole("button", { name: "Stop…" }));
  await expect(admin.getByRole("heading", { name: "Stop 3 guests" })).toBeVisible();
  await way.click(admin.getByRole("button", { name: /^(Run|Stop)/ }).last());
  await admin.waitForURL("**/history/*");
  await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible();
  expect(way.told("stop all with a tag")).toBe(5);
  for (const name of names) expect(lxcInfo(name)).toBe("STOPPED");
});
