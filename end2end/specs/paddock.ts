// What every spec needs: a person who is logged in, and the ways of a page with and without JavaScript.
import { type Browser, expect, type Page, test as base } from "@playwright/test";
import { bundle, crun, crunState, lxc, lxcInfo, password } from "../host.js";

export { expect };

export const test = base.extend<{ js: boolean; admin: Page }>({
  js: async ({}, use, info) => use(info.project.name === "wasm"),
  admin: async ({ page, js }, use) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || /hydrat/i.test(message.text())) problems.push(message.text());
    });
    await logIn(page, password);
    await ready(page, js);
    await use(page);
    // A refused action answers 4xx, which the browser notes as an error of its own; that is no defect of the page.
    expect(problems.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
  },
});

export async function logIn(page: Page, secret: string) {
  await page.goto("/login");
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill(secret);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((url) => url.pathname !== "/login");
}

/** What `person` has chosen. */
export const ownPassword = "kettle fern orbit";

/** A user made on the pages, with the one-time password replaced, and a page in which they are logged in. */
export async function person(admin: Page, js: boolean, browser: Browser, name: string): Promise<Page> {
  await open(admin, js, "/access");
  await admin.getByLabel("User name").fill(name);
  await admin.getByRole("button", { name: "Add user" }).click();
  await admin.waitForURL(`**/access/users/${name}`);
  const oneTime = await admin.locator(".one-time code").innerText();
  await expect(admin.getByText("Nothing yet: no grant")).toBeVisible();

  const page = await (await browser.newContext({ javaScriptEnabled: js })).newPage();
  await page.goto("/login");
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Password").fill(oneTime);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/account/password");
  await page.getByLabel("Current password").fill(oneTime);
  await page.getByLabel("New password", { exact: true }).fill(ownPassword);
  await page.getByLabel("Repeat new password").fill(ownPassword);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  return page;
}

/** Until the page is in the hands of WebAssembly, where there is any. */
export async function ready(page: Page, js: boolean) {
  if (js) await expect(page.getByText("Live", { exact: true })).toBeVisible();
}

export async function open(page: Page, js: boolean, path: string) {
  await page.goto(path);
  await ready(page, js);
}

/** Looks until it holds. Without JavaScript a page has to be loaded again to show what is new. */
export async function eventually(page: Page, js: boolean, look: () => Promise<void>) {
  await expect(async () => {
    if (!js) await page.reload();
    await look();
  }).toPass({ timeout: 30_000, intervals: [100, 250, 500] });
}

/** Presses the action's button on the guest's page and waits for the state it leads to. */
export async function press(page: Page, js: boolean, guest: string, button: string, state: string) {
  await open(page, js, `/guests/${guest}`);
  await page.getByRole("button", { name: button, exact: true }).click();
  await eventually(page, js, async () => {
    await expect(page.locator("main header").getByText(state, { exact: true })).toBeVisible({ timeout: 500 });
  });
}

/** Deletes on the page that asks for the guest's name. */
export async function remove(page: Page, js: boolean, guest: string) {
  await open(page, js, `/guests/${guest}`);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.waitForURL(/\/delete\??$/);
  await ready(page, js);
  await page.getByRole("textbox").fill(guest.split("/")[1]);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.waitForURL("**/history/*");
  await eventually(page, js, async () => {
    await expect(page.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
}

/** Asks as the pages' own forms do, and waits for the end of what has begun. */
export async function ended(page: Page, path: string, form: Record<string, string>): Promise<number> {
  const reply = await page.request.post(path, { form, headers: { accept: "application/json" } });
  const said = await reply.text();
  expect(reply.status(), said).toBe(200);
  const id = Number(said);
  await expect(async () => {
    const operation = await page.request.get(`/api/operations/get?id=${id}`, { headers: { accept: "application/json" } });
    expect((await operation.json()).operation.summary.finished_ms).not.toBeNull();
  }).toPass({ intervals: [20] });
  return id;
}

/** A crun container of this test alone, set up and not started. */
export async function make(page: Page, name: string): Promise<string> {
  if (crunState(name) !== "") crun("delete", "-f", name);
  await ended(page, "/api/guests/create", { "form[backend]": "crun", "form[name]": name, "form[bundle]": bundle });
  expect(crunState(name)).toBe("created");
  return name;
}

/** An LXC container of this test alone. */
export async function container(admin: Page, name: string): Promise<string> {
  if (lxcInfo(name) !== "") {
    lxc("lxc-stop", "-n", name, "-k");
    lxc("lxc-destroy", "-n", name, "-s");
  }
  const form = { "form[backend]": "lxc", "form[name]": name, "form[source]": "template", "form[template]": "busybox" };
  await ended(admin, "/api/guests/create", form);
  return name;
}

/** From the form of a new guest to the plan of it: in two steps, or, without JavaScript, in one. */
export async function toPlan(page: Page, js: boolean) {
  if (js) {
    await page.getByRole("button", { name: "Next", exact: true }).click();
    await page.waitForURL("**step=size**");
  }
  await page.getByRole("button", { name: "Show what will run" }).click();
  await page.waitForURL("**/guests/new/plan?**");
  await ready(page, js);
}
