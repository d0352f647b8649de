// The dashboard, the command palette and the keys: by keyboard alone, and without JavaScript.
import type { Page } from "@playwright/test";
import { bundle, crun, crunState, password } from "../host.js";
import { ended, eventually, expect, logIn, make, open, ready, test } from "./paddock.js";

const combobox = (page: Page) => page.getByRole("combobox", { name: "Guest, action, page or operation" });

test("a log-in leads to the dashboard, and its figures lead to the guests they count", async ({ page, js }) => {
  await logIn(page, password);
  await expect(page).toHaveURL((url) => url.pathname === "/");
  await ready(page, js);
  await expect(page.getByRole("heading", { name: "Dashboard", level: 1 })).toBeVisible();
  const stopped = page.locator(".tile", { hasText: "stopped" });
  const count = Number(await stopped.locator(".tile-figure").innerText());
  await stopped.click();
  await expect(page).toHaveURL(/\/guests\?q=status:stopped/);
  await expect(page.locator("tr[data-row]")).toHaveCount(count);
});

/** A running container that does not listen when it is asked to shut down. */
async function stubborn(page: Page, name: string): Promise<string> {
  if (crunState(name) !== "") crun("delete", "-f", name);
  const form = { "form[backend]": "crun", "form[name]": name, "form[bundle]": bundle.replace("busybox", "stubborn") };
  await ended(page, "/api/guests/create", form);
  await ended(page, "/api/guests/act", { backend: "crun", name, action: "start" });
  return name;
}

test("a failure is what one sees first, until something good follows it", async ({ admin, js }, info) => {
  const name = await stubborn(admin, `stubborn-${info.project.name}`);
  await open(admin, js, "/");
  const concern = admin.locator(".concern", { hasText: name });
  await expect(concern).toHaveCount(0);
  const id = await ended(admin, "/api/guests/act", { backend: "crun", name, action: "shutdown", timeout: "1" });
  await eventually(admin, js, () => expect(concern).toBeVisible({ timeout: 500 }));
  await concern.getByRole("link", { name: "See why" }).click();
  await expect(admin).toHaveURL(new RegExp(`/history/${id}$`));
  await ended(admin, "/api/guests/act", { backend: "crun", name, action: "stop" });
  await open(admin, js, "/");
  await expect(concern).toHaveCount(0);
});

test("what is at work is counted at the top and leads to its log", async ({ admin, js }, info) => {
  const name = await stubborn(admin, `slow-${info.project.name}`);
  const form = { backend: "crun", name, action: "shutdown", timeout: "60" };
  const headers = { accept: "application/json" };
  const id = await (await admin.request.post("/api/guests/act", { form, headers })).text();
  await open(admin, js, "/history");
  await admin.getByRole("button", { name: "1 running" }).click();
  const row = admin.getByRole("region", { name: "Running operations" }).getByRole("link", { name: `Shutting down ${name}` });
  await expect(row).toBeVisible();
  await row.click();
  await expect(admin).toHaveURL(new RegExp(`/history/${id}$`));
  await admin.getByRole("button", { name: "Cancel", exact: true }).click();
  await eventually(admin, js, async () => {
    await expect(admin.getByRole("button", { name: /running$/ })).toHaveCount(0, { timeout: 500 });
  });
  await ended(admin, "/api/guests/act", { backend: "crun", name, action: "stop" });
});

test("without JavaScript what is typed at the top finds guests, and the rail narrows", async ({ admin, js }) => {
  test.skip(js, "with it the field is the palette's");
  await admin.goto("/");
  await admin.getByRole("search", { name: "Find anything" }).getByRole("searchbox").fill("mail");
  await admin.keyboard.press("Enter");
  await expect(admin).toHaveURL(/\/guests\?q=mail$/);
  await expect(admin.getByRole("link", { name: "mail", exact: true })).toBeVisible();
  await admin.getByRole("button", { name: "Narrow the rail" }).click();
  await expect(admin).toHaveURL(/\/guests\?q=mail$/);
  expect((await admin.locator(".rail").boundingBox())?.width).toBeLessThan(60);
  await admin.goto("/nodes");
  await admin.locator(".node-card a").first().click();
  await expect(admin.getByRole("heading", { name: "Storages" })).toBeVisible();
  await admin.getByRole("button", { name: "Widen the rail" }).click();
});

test.describe("by keyboard alone", () => {
  test.beforeEach(({ js }) => test.skip(!js, "keys are the script's"));

  test("the palette finds a guest and opens it", async ({ admin }) => {
    await open(admin, true, "/");
    await admin.keyboard.press("Control+k");
    await expect(combobox(admin)).toBeFocused();
    await admin.keyboard.type("mail");
    const first = admin.getByRole("dialog").getByRole("option").first();
    await expect(first).toContainText("mail");
    await expect(first).toHaveAttribute("aria-selected", "true");
    await expect(combobox(admin)).toHaveAttribute("aria-activedescendant", (await first.getAttribute("id")) ?? "");
    await admin.keyboard.press("ArrowDown");
    await expect(first).toHaveAttribute("aria-selected", "false");
    await admin.keyboard.press("ArrowUp");
    await admin.keyboard.press("Enter");
    await expect(admin).toHaveURL(/\/guests\/lxc\/mail$/);
    await expect(admin.getByRole("dialog")).toHaveCount(0);
  });

  test("an action in the palette leads to its plan and runs nothing", async ({ admin }, info) => {
    const name = await make(admin, `typed-${info.project.name}`);
    await open(admin, true, "/guests");
    await admin.keyboard.press("Control+k");
    await admin.keyboard.type(`start ${name}`);
    await expect(admin.getByRole("dialog").getByRole("option").first()).toContainText(`Start ${name}`);
    await admin.keyboard.press("Enter");
    await expect(admin).toHaveURL(new RegExp(`/guests/crun/${name}/plan/start$`));
    await expect(admin.getByRole("heading", { name: `Start ${name}` })).toBeVisible();
    expect(crunState(name)).toBe("created");
    await admin.keyboard.press("Escape");
    await expect(admin).toHaveURL(new RegExp(`/guests/crun/${name}$`));
  });

  test("the palette closes by Escape and gives the focus back", async ({ admin }) => {
    await open(admin, true, "/");
    const field = admin.getByRole("search", { name: "Find anything" }).getByRole("searchbox");
    await field.focus();
    await expect(combobox(admin)).toHaveCount(0);
    await admin.keyboard.press("h");
    await expect(combobox(admin)).toBeFocused();
    await expect(combobox(admin)).toHaveValue("h");
    await admin.keyboard.press("Escape");
    await expect(combobox(admin)).toBeHidden();
    await expect(field).toBeFocused();
    await expect(field).toHaveValue("");
  });

  test("two keys lead to each page, and one shows them all", async ({ admin }) => {
    await open(admin, true, "/");
    for (const [key, path] of [["g", "/guests"], ["h", "/history"], ["n", "/nodes"], ["d", "/"]]) {
      await admin.keyboard.press("g");
      await admin.keyboard.press(key);
      await expect(admin).toHaveURL((url) => url.pathname === path);
    }
    await admin.keyboard.press("?");
    await expect(admin.getByRole("dialog", { name: "Keys" })).toBeVisible();
    await admin.keyboard.press("g");
    await admin.keyboard.press("g");
    await expect(admin).toHaveURL((url) => url.pathname === "/");
    await admin.keyboard.press("Escape");
    await expect(admin.getByRole("dialog", { name: "Keys" })).toBeHidden();
  });

  test("rows are walked through, chosen and opened, and no key fires while one types", async ({ admin }) => {
    await open(admin, true, "/guests");
    const rows = admin.locator("tr[data-row]");
    await expect(rows.nth(2)).toBeVisible();
    await admin.keyboard.press("j");
    await expect(rows.nth(0).locator("a.cover")).toBeFocused();
    await admin.keyboard.press("j");
    await admin.keyboard.press("k");
    await expect(rows.nth(0).locator("a.cover")).toBeFocused();
    await admin.keyboard.press("x");
    await expect(rows.nth(0).getByRole("checkbox")).toBeChecked();
    await admin.keyboard.press("Shift+J");
    await expect(rows.nth(1).getByRole("checkbox")).toBeChecked();
    await admin.keyboard.press("x");
    await expect(rows.nth(1).getByRole("checkbox")).not.toBeChecked();
    const page = await rows.nth(1).getAttribute("data-row");
    await admin.keyboard.press("d");
    await expect(admin).toHaveURL((url) => url.pathname === `${page}/plan/shutdown`);
    await admin.goBack();
    await ready(admin, true);
    await admin.keyboard.press("/");
    await expect(admin.getByLabel("Filter", { exact: true })).toBeFocused();
    await admin.keyboard.type("gh?jx");
    await expect(admin).toHaveURL(/\/guests/);
    await expect(admin.getByRole("dialog")).toHaveCount(0);
    await expect(admin.getByLabel("Filter", { exact: true })).toHaveValue("gh?jx");
  });
});
