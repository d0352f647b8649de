// What somebody asks of the list again and again: its words as chips, and saved under a name.
import type { Page } from "@playwright/test";
import { expect, open, ready, test } from "./paddock.js";

/** Until the list's address asks for just this. */
const asks = (page: Page, words: Record<string, string>) =>
  page.waitForURL((url) => {
    const asked = Object.fromEntries(url.searchParams);
    return url.pathname === "/guests" && JSON.stringify(asked) === JSON.stringify(words);
  });

test("a filter's words are chips, each with a way to take it out", async ({ admin, js }) => {
  await open(admin, js, "/guests?q=status:stopped+mail&sort=-name");
  const chips = admin.getByRole("list", { name: "Active filters" });
  await expect(chips.getByRole("listitem")).toHaveText(["status:stopped", "mail", "Clear all"]);
  await chips.getByRole("link", { name: "Take off the filter mail" }).click();
  await asks(admin, { q: "status:stopped", sort: "-name" });
  await expect(chips.getByRole("listitem")).toHaveText(["status:stopped"]);
  await expect(admin.getByLabel("Filter", { exact: true })).toHaveValue("status:stopped");
  await chips.getByRole("link").click();
  await asks(admin, { sort: "-name" });
  await expect(chips).toHaveCount(0);
});

test("a view is saved under a name, opened from any page, changed and removed", async ({ admin, js }, info) => {
  const [name, other] = [`Lab ${info.project.name}`, `Lab of ${info.project.name}`];
  const tabs = admin.getByRole("navigation", { name: "Saved views" });
  const tab = (text: string) => tabs.getByRole("link", { name: text, exact: true });
  const menu = (text: string) => admin.locator("summary", { hasText: text });

  await open(admin, js, "/guests");
  await expect(menu("Save view")).toHaveCount(0);
  await open(admin, js, "/guests?q=tag:lab&group=status");
  await menu("Save view").click();
  await admin.getByLabel("Name of the view").fill("<lab>");
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(admin.getByText("The name of a view has 1 to 40 letters")).toBeVisible();
  await admin.getByLabel("Name of the view").fill(name);
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(tab(name)).toHaveAttribute("aria-current", "page");

  await tab("All guests").click();
  await asks(admin, {});
  await expect(tab("All guests")).toHaveAttribute("aria-current", "page");
  await expect(tab(name)).not.toHaveAttribute("aria-current");
  if (js) {
    await open(admin, js, "/history");
    await admin.keyboard.press("Control+k");
    await admin.getByRole("combobox", { name: "Guest, action, page or operation" }).fill(name);
    await admin.getByRole("option", { name }).click();
  } else {
    await tab(name).click();
  }
  await asks(admin, { q: "tag:lab", group: "status" });
  await expect(admin.getByLabel("Groups")).toHaveValue("status");

  // Under the same name something else is saved; then it has another name.
  await open(admin, js, "/guests?q=tag:lab+status:stopped");
  await menu("Save view").click();
  await admin.getByLabel("Name of the view").fill(name);
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(tab(name)).toHaveAttribute("aria-current", "page");
  await menu("View").click();
  await admin.getByLabel("Name of the view").fill(other);
  await admin.getByRole("button", { name: "Rename" }).click();
  await expect(tab(other)).toHaveAttribute("href", "/guests?q=tag%3Alab%20status%3Astopped");
  await expect(tab(name)).toHaveCount(0);

  await admin.reload();
  await ready(admin, js);
  await menu("View").click();
  await admin.getByRole("button", { name: "Remove view" }).click();
  await expect(tab(other)).toHaveCount(0);
  await expect(menu("Save view")).toBeVisible();
});

test("what was wrong with one view is not said of the next", async ({ admin, js }) => {
  const wrong = admin.getByText("The name of a view has 1 to 40 letters");
  await open(admin, js, "/guests?q=tag:lab+mail");
  await admin.locator("summary", { hasText: "Save view" }).click();
  await admin.getByLabel("Name of the view").fill("<lab>");
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await expect(wrong).toBeVisible();
  await admin.getByRole("link", { name: "Take off the filter mail" }).click();
  await asks(admin, { q: "tag:lab" });
  await ready(admin, js);
  await expect(admin.getByLabel("Name of the view")).toBeHidden();
  await admin.locator("summary", { hasText: "Save view" }).click();
  await expect(admin.getByLabel("Name of the view")).toBeVisible();
  await expect(wrong).toHaveCount(0);
});
