// A list of a thousand guests: only the rows in sight exist, what is asked for stands in the address, and changes appear.
import { rmSync } from "node:fs";
import { define, directory } from "../host.js";
import { expect, open, test } from "./paddock.js";

const COUNT = 1000;
const nameOf = (number: number) => `crowd-${String(number).padStart(4, "0")}`;

/** Every third has a tag. */
const another = (number: number) => define(nameOf(number), number % 3 === 0 ? "lxc.group = crowd\n" : "");

test.describe.configure({ mode: "serial" });
test.beforeAll(() => {
  for (let number = 0; number < COUNT; number++) another(number);
});
test.afterAll(() => {
  for (let number = 0; number <= COUNT; number++) rmSync(directory(nameOf(number)), { recursive: true, force: true });
});

test("of a thousand guests only the rows in sight exist, and each can be scrolled to", async ({ admin, js }) => {
  test.skip(!js, "without scripts there are pages");
  await expect(async () => {
    await open(admin, js, "/guests?q=crowd-");
    await expect(admin.getByText(`${COUNT} of `)).toBeVisible({ timeout: 2000 });
  }).toPass();
  const rows = admin.locator("tr[data-row]");
  await expect(async () => expect(await rows.count()).toBeLessThan(100)).toPass();
  await expect(admin.getByRole("link", { name: nameOf(0), exact: true })).toBeVisible();
  await admin.keyboard.press("End");
  await expect(admin.getByRole("link", { name: nameOf(COUNT - 1), exact: true })).toBeVisible();
  await expect(admin.getByRole("link", { name: nameOf(0), exact: true })).toHaveCount(0);
  expect(await rows.count()).toBeLessThan(100);

  // One that is made outside Paddock appears at its place.
  another(COUNT);
  await admin.keyboard.press("End");
  await expect(admin.getByRole("link", { name: nameOf(COUNT), exact: true })).toBeVisible();
  rmSync(directory(nameOf(COUNT)), { recursive: true });
  await expect(admin.getByRole("link", { name: nameOf(COUNT), exact: true })).toHaveCount(0);
});

test("what is asked for stands in the address, and all that is found is chosen at once", async ({ admin, js }) => {
  test.skip(!js, "without scripts the form does it");
  await open(admin, js, "/guests");
  await admin.getByLabel("Filter", { exact: true }).fill("tag:crowd crowd-00");
  await expect(admin.getByText("34 of ")).toBeVisible();
  await expect(admin).toHaveURL(/\/guests\?q=tag%3Acrowd%20crowd-00$/);
  await admin.getByRole("link", { name: /^Name/ }).click();
  await expect(admin).toHaveURL(/sort=-name/);
  await expect(admin.locator("tr[data-row]").first()).toContainText(nameOf(99));
  await admin.getByLabel("Groups").selectOption("tag");
  await expect(admin).toHaveURL(/group=tag/);
  await admin.reload();
  await expect(admin.getByLabel("Filter", { exact: true })).toHaveValue("tag:crowd crowd-00");
  await expect(admin.locator("tr.group")).toContainText("crowd");
  await expect(admin.locator("tr[data-row]").first()).toContainText(nameOf(99));

  await admin.getByRole("checkbox", { name: "Choose all that are shown" }).check();
  await expect(admin.getByText("34 chosen")).toBeVisible();
  await admin.getByRole("button", { name: "Start…" }).click();
  await admin.waitForURL("**/guests/plan?*");
  await expect(admin.getByRole("heading", { name: "Start 34 guests" })).toBeVisible();
  await admin.goBack();
  await expect(admin.getByLabel("Filter", { exact: true })).toHaveValue("tag:crowd crowd-00");
});

test("the field says how a filter could go on", async ({ admin, js }) => {
  test.skip(!js, "without scripts a word is typed in full");
  await open(admin, js, "/guests");
  const field = admin.getByRole("combobox", { name: "Filter" });
  const options = admin.getByRole("listbox", { name: "Suggestions" }).getByRole("option");
  await field.fill("crowd-00 tag:cr");
  await expect(options).toHaveText([/^tag:crowd\s*34 guests$/]);
  await admin.keyboard.press("ArrowDown");
  await expect(options).toHaveAttribute("aria-selected", "true");
  await admin.keyboard.press("Enter");
  await expect(field).toHaveValue("crowd-00 tag:crowd ");
  await expect(admin.getByText("34 of ")).toBeVisible();
  await expect(options).toHaveText([/^status:/, /^tag:/, /^node:/, /^backend:/, /^name:/, /^address:/]);
  await admin.keyboard.press("Escape");
  await expect(options).toHaveCount(0);
  await expect(field).toHaveValue("crowd-00 tag:crowd ");
  await admin.keyboard.press("Escape");
  await expect(field).toHaveValue("");
  // With the mouse, and without losing the field.
  await field.click();
  await options.filter({ hasText: "status:" }).click();
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("status:");
  await expect(options.filter({ hasText: "status:stopped" })).toBeVisible();
});

test("without scripts the list has pages, which keep what is asked for", async ({ admin, js }) => {
  test.skip(js, "with scripts there is one list");
  await expect(async () => {
    await open(admin, js, "/guests?q=crowd-&sort=-name");
    await expect(admin.getByText("Page 1 of 10")).toBeVisible({ timeout: 2000 });
  }).toPass();
  await expect(admin.locator("tr[data-row]").first()).toContainText(nameOf(COUNT - 1));
  await admin.getByRole("link", { name: "Next" }).click();
  await expect(admin.getByText("Page 2 of 10")).toBeVisible();
  await expect(admin.locator("tr[data-row]").first()).toContainText(nameOf(COUNT - 101));
  await expect(admin).toHaveURL(/q=crowd-&sort=-name&page=2/);
});
