// What was done: found by filters, proved on its page, looked at before and done again.
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { crun, crunState } from "../host.js";
import { ended, eventually, expect, make, open, ready, test } from "./paddock.js";

const act = (page: Page, name: string, action: string) =>
  ended(page, "/api/guests/act", { backend: "crun", name, action });

const rows = (page: Page) => page.locator(".op");

test("filters combine, stand in the address, and are taken off one by one", async ({ admin, js }, info) => {
  const name = await make(admin, `find-${info.project.name}`);
  const start = await act(admin, name, "start");
  await act(admin, name, "stop");

  await open(admin, js, "/history");
  await admin.getByLabel("Guest", { exact: true }).fill(`crun/${name}`);
  await admin.getByLabel("Action", { exact: true }).selectOption("start");
  await admin.getByLabel("From", { exact: true }).fill("1h");
  await admin.getByRole("button", { name: "Filter", exact: true }).click();
  await expect(rows(admin)).toHaveCount(1);
  await expect(rows(admin).getByRole("link", { name: "Start" })).toHaveAttribute("href", `/history/${start}`);
  const address = new URL(admin.url());
  expect(address.searchParams.get("guest")).toBe(`crun/${name}`);
  expect(address.searchParams.get("action")).toBe("start");
  expect(address.searchParams.get("from")).toBe("1h");

  await admin.reload();
  await ready(admin, js);
  await expect(rows(admin)).toHaveCount(1);
  await expect(admin.getByLabel("Guest", { exact: true })).toHaveValue(`crun/${name}`);
  await expect(admin.getByLabel("Action", { exact: true })).toHaveValue("start");

  await admin.getByRole("link", { name: "Take off the filter Action: Start" }).click();
  await expect(rows(admin)).toHaveCount(3);
  await expect(admin.getByLabel("Action", { exact: true })).toHaveValue("");
  await expect(admin.getByLabel("From", { exact: true })).toHaveValue("1h");

  await admin.goBack();
  await expect(rows(admin)).toHaveCount(1);
  await expect(admin.getByLabel("Action", { exact: true })).toHaveValue("start");
  await admin.getByRole("link", { name: "Clear all" }).click();
  await expect(admin).toHaveURL(/\/history$/);
});

test("what is typed is taken to the letter", async ({ admin, js }) => {
  for (const text of ["100%", "a+b&c=d", "%2F", "“ü”"]) {
    await open(admin, js, "/history");
    await admin.getByLabel("Search", { exact: true }).fill(text);
    await admin.getByLabel("Search", { exact: true }).press("Enter");
    await expect(admin.getByText("No operation matches the filter")).toBeVisible();
    await expect(admin.getByLabel("Search", { exact: true })).toHaveValue(text);
    await admin.reload();
    await expect(admin.getByRole("link", { name: `Take off the filter Search: ${text}` })).toBeVisible();
    await expect(admin.getByLabel("Search", { exact: true })).toHaveValue(text);
  }
});

test("a filter that makes no sense says so at its field, and shows nothing", async ({ admin, js }) => {
  await open(admin, js, "/history?guest=a%20b&backend=xen&from=soon&colour=red");
  for (const [label, message] of [
    ["Guest", /cannot contain a blank/],
    ["Backend", /There is no backend “xen”/],
    ["From", /This is no time/],
  ] as const) {
    const field = admin.getByLabel(label, { exact: true });
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field).toHaveAccessibleDescription(message);
  }
  await expect(admin.getByLabel("Guest", { exact: true })).toHaveValue("a b");
  await expect(admin.getByText("The history has no filter “colour”", { exact: false })).toBeVisible();
  await expect(rows(admin)).toHaveCount(0);
  // Each can be taken off, what is no filter as well.
  for (const name of ["Guest: a b", "colour: red", "From: soon", "Backend: xen"]) {
    await admin.getByRole("link", { name: `Take off the filter ${name}` }).click();
    await expect(admin.getByRole("link", { name: `Take off the filter ${name}` })).toHaveCount(0);
  }
  await expect(rows(admin).first()).toBeVisible();
});

test("older operations are a page of their own, and nothing is told twice or left out", async ({ admin, js }, info) => {
  const name = await make(admin, `many-${info.project.name}`);
  const done = [];
  for (let round = 0; round < 26; round++) {
    done.push(await act(admin, name, "start"), await act(admin, name, "stop"));
  }
  const ids = async () => {
    const hrefs = await rows(admin).locator(".cover").evaluateAll((links) => links.map((a) => a.getAttribute("href")));
    return hrefs.map((href) => Number(href?.split("/").pop()));
  };
  await open(admin, js, `/history?guest=crun/${name}`);
  await expect(rows(admin)).toHaveCount(50);
  const newest = await ids();
  await admin.getByRole("link", { name: "Older" }).click();
  await expect(rows(admin)).toHaveCount(3);
  expect([...newest, ...(await ids())].slice(0, 52)).toEqual(done.toReversed());
  await expect(admin.getByRole("link", { name: "Older" })).toHaveCount(0);
  await admin.reload();
  await ready(admin, js);
  await expect(rows(admin)).toHaveCount(3);
  await admin.getByRole("link", { name: "Newest" }).click();
  await expect(rows(admin)).toHaveCount(50);
});

test("what is filtered is what the files hold", async ({ admin, js }, info) => {
  const name = await make(admin, `file-${info.project.name}`);
  const done = [await act(admin, name, "start"), await act(admin, name, "stop"), await act(admin, name, "start")];
  await open(admin, js, `/history?guest=crun/${name}&action=start`);
  const file = async (link: string) => {
    const [download] = await Promise.all([
      admin.waitForEvent("download"),
      admin.getByRole("link", { name: link, exact: true }).click(),
    ]);
    return readFileSync(await download.path(), "utf8");
  };
  const lines = (await file("JSON Lines")).trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(lines.map((line) => line.id).toSorted()).toEqual([done[0], done[2]]);
  expect(new Set(lines.map((line) => line.action))).toEqual(new Set(["start"]));
  const table = (await file("CSV")).trimEnd().split(/\r?\n/);
  expect(table).toHaveLength(3);
  expect(table[0]).toContain("action");
  for (const row of table.slice(1)) expect(row).toContain(name);
  // What cannot be understood is not to be had as a file either.
  await open(admin, js, "/history?backend=xen");
  await expect(admin.getByRole("link", { name: "CSV", exact: true })).toBeHidden();
});

test("all of a guest's history is there when the guest is gone", async ({ admin, js }, info) => {
  const name = await make(admin, `gone-${info.project.name}`);
  await open(admin, js, `/guests/crun/${name}`);
  await admin.getByRole("link", { name: "All of its history" }).click();
  await admin.waitForURL("**/timeline");
  await expect(rows(admin)).toHaveCount(1);
  await ended(admin, "/api/guests/act", { backend: "crun", name, action: "delete", confirm: name });
  await open(admin, js, `/guests/crun/${name}`);
  await admin.getByRole("link", { name: "What was done with it" }).click();
  await expect(rows(admin)).toHaveCount(2);
});

test("what runs is the plan that was shown, or it is shown anew", async ({ admin, js }, info) => {
  const name = await make(admin, `plan-${info.project.name}`);
  await open(admin, js, `/guests/crun/${name}`);
  await admin.getByRole("navigation", { name: "Plans" }).getByRole("link", { name: "Start" }).click();
  await admin.waitForURL("**/plan/start");
  await ready(admin, js);
  await expect(admin.locator(".step")).toHaveCount(1);
  const hash = await admin.locator(".hash code").getAttribute("title");
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  await expect(admin.locator(".hash code")).toHaveText(hash!.slice(0, 8));

  // Somebody at the host's own shell: now it takes more than a start.
  crun("start", name);
  crun("kill", name, "KILL");
  await expect(async () => expect(crunState(name)).toBe("stopped")).toPass();
  await admin.getByRole("button", { name: "Run" }).click();
  await expect(admin.getByText("The guest has changed since; this is the plan now")).toBeVisible();
  expect(crunState(name)).toBe("stopped");
  await expect(admin.locator(".step").nth(1)).toBeVisible();
  expect(await admin.locator(".hash code").getAttribute("title")).not.toBe(hash);

  await admin.getByRole("button", { name: "Run" }).click();
  await admin.waitForURL("**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
  expect(crunState(name)).toBe("running");
  await open(admin, js, `/guests/crun/${name}/plan/start`);
  await expect(admin.getByText("This cannot be done now")).toBeVisible();
});

test("an operation's page proves it, gives its script, and leads to doing it again", async ({ admin, js, context }, info) => {
  const name = await make(admin, `prove-${info.project.name}`);
  await act(admin, name, "start");
  const id = await act(admin, name, "stop");
  await open(admin, js, `/history/${id}`);
  const facts = admin.getByRole("region", { name: "Facts" });
  for (const fact of ["asked through Paddock", "admin", "127.0.0.1", "stopped"]) {
    await expect(facts.getByText(fact, { exact: true })).toBeVisible();
  }
  const ledger = admin.getByRole("region", { name: "Ledger" });
  const hashes = await ledger.locator("code").evaluateAll((codes) => codes.map((code) => (code as HTMLElement).title));
  expect(hashes).toHaveLength(3);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  await expect(ledger.getByText(/^#\d+/).first()).toBeVisible();

  const script = admin.getByLabel("Copy as shell");
  await expect(script).toBeHidden();
  await admin.getByText("Copy as shell", { exact: true }).click();
  await expect(script).toContainText(new RegExp(`timeout .* crun .*kill.* ${name}`));
  if (js) {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await admin.getByRole("button", { name: "Copy script" }).click();
    const copied = await admin.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await script.textContent());
    expect(copied).toMatch(/^#!\/bin\/sh\n/);
  }

  await admin.getByRole("link", { name: "Do it again" }).click();
  await admin.waitForURL("**/again");
  await expect(admin.getByText("This cannot be done now")).toBeVisible();
  await act(admin, name, "start");
  await open(admin, js, `/history/${id}/again`);
  await expect(admin.getByText(`Asked for again, as operation #${id} was.`)).toBeVisible();
  await admin.getByRole("button", { name: "Run" }).click();
  await admin.waitForURL(/\/history\/\d+$/);
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
  expect(crunState(name)).toBe("stopped");
});

test("a bulk action tells its parts, and each part its whole", async ({ admin, js }, info) => {
  const one = await make(admin, `one-${info.project.name}`);
  const two = await make(admin, `two-${info.project.name}`);
  await act(admin, two, "start");
  const form = { action: "start", "guests[0]": `crun/${one}`, "guests[1]": `crun/${two}` };
  const id = await ended(admin, "/api/guests/act-on-all", form);
  await open(admin, js, `/history/${id}`);
  await expect(admin.getByRole("heading", { name: "Start 2 guests" })).toBeVisible();
  await expect(admin.getByRole("heading", { name: "1 succeeded, 1 left out" })).toBeVisible();
  await expect(admin.getByRole("alert")).toContainText(`crun/${two}`);
  await rows(admin).getByRole("link", { name: "Start" }).click();
  await admin.getByRole("region", { name: "Facts" }).getByRole("link", { name: `#${id}` }).click();
  await expect(admin.getByRole("heading", { name: "Start 2 guests" })).toBeVisible();
});

test("the keyboard goes through the filter in its order", async ({ admin, js }) => {
  await open(admin, js, "/history");
  await admin.getByLabel("Search", { exact: true }).focus();
  for (const label of ["Guest", "Backend", "User", "Action", "Result", "From", "To"]) {
    await admin.keyboard.press("Tab");
    await expect(admin.getByLabel(label, { exact: true })).toBeFocused();
  }
  await admin.keyboard.press("Tab");
  await expect(admin.getByRole("button", { name: "Filter", exact: true })).toBeFocused();
});

test("on a phone the filters fold, and open where something is wrong", async ({ admin, js }) => {
  await admin.setViewportSize({ width: 390, height: 844 });
  await admin.goto("/history");
  await expect(admin.getByLabel("Guest", { exact: true })).toBeHidden();
  await admin.getByText("More filters").click();
  await expect(admin.getByLabel("Guest", { exact: true })).toBeVisible();
  await admin.goto("/history?result=splendid");
  await expect(admin.getByLabel("Result", { exact: true })).toHaveAccessibleDescription(/There is no result/);
  await expect(admin.getByLabel("Result", { exact: true })).toBeVisible();
  if (js) expect(await admin.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
});

test("what is typed stays while the host changes", async ({ admin, js }, info) => {
  test.skip(!js, "without scripts nothing changes by itself");
  const name = await make(admin, `live-${info.project.name}`);
  await open(admin, js, `/history?guest=crun/${name}`);
  await expect(rows(admin)).toHaveCount(1);
  await admin.getByLabel("User", { exact: true }).fill("ann");
  await act(admin, name, "start");
  await expect(rows(admin)).toHaveCount(2);
  await expect(admin.getByLabel("User", { exact: true })).toHaveValue("ann");
  await expect(admin.getByLabel("User", { exact: true })).toBeFocused();
});
