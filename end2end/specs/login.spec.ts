import { password } from "../host.js";
import { expect, logIn, test } from "./paddock.js";

test("a stranger is sent to log in and back to the page asked for", async ({ page }) => {
  await page.goto("/history?text=web");
  await expect(page).toHaveURL(/\/login\?next=/);
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/history\?text=web$/);
});

test("a wrong password is refused with one message, and the password is in no address", async ({ page, js }) => {
  await page.goto("/login");
  if (js) await page.waitForLoadState("networkidle");
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill("certainly-wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByText("User name or password is wrong.")).toBeVisible();
  expect(page.url()).not.toContain("certainly-wrong");
});

test("after log out the pages are closed", async ({ page, js }) => {
  await logIn(page, password);
  if (js) await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/guests");
  await expect(page).toHaveURL(/\/login/);
});
