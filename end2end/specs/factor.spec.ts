// The second factor of one's own account: set up, asked for at log-in, its recovery codes, and turned off.
import { createHmac } from "node:crypto";
import type { Page } from "@playwright/test";
import { expect, open, ownPassword, person, test } from "./paddock.js";

/** What an authenticator shows for the key, so many steps of 30 seconds from now (RFC 6238). */
function code(key: string, steps: number): string {
  const bits = [...key.replaceAll(" ", "")]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const secret = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac("sha1", secret).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function logIn(page: Page, name: string, typed: string) {
  await page.goto("/login");
  await page.getByLabel("Username").fill(name);
  await page.getByLabel("Password").fill(ownPassword);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL("**/login/factor");
  await page.getByRole("textbox", { name: "Code" }).fill(typed);
  await page.getByRole("button", { name: "Log in" }).click();
}

test("a second factor is set up, asked for at log-in, and turned off", async ({ admin, js, browser }, info) => {
  const name = `otto-${info.project.name}`;
  const otto = await person(admin, js, browser, name);
  await open(otto, js, "/account");
  await otto.getByRole("link", { name: "Second factor" }).click();
  await otto.waitForURL("**/account/factor");
  await expect(otto.getByRole("img", { name: "QR code of the key below" })).toBeVisible();
  const key = await otto.locator(".factor-key code").innerText();

  await otto.getByLabel("Current password").fill(ownPassword);
  await otto.getByRole("textbox", { name: "Code" }).fill("000000");
  await otto.getByRole("button", { name: "Turn on" }).click();
  await expect(otto.getByText("That code is wrong, or was used before.")).toBeVisible();
  await expect(otto.locator(".factor-key code")).toHaveText(key);
  await otto.getByLabel("Current password").fill(ownPassword);
  await otto.getByRole("textbox", { name: "Code" }).fill(code(key, -1));
  await otto.getByRole("button", { name: "Turn on" }).click();
  const codes = otto.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await expect(codes).toHaveCount(10);
  const recovery = await codes.first().innerText();
  await expect(otto.getByText("10 recovery codes are left")).toBeVisible();
  await otto.getByRole("button", { name: "Log out" }).click();
  await otto.waitForURL("**/login");

  await logIn(otto, name, "123456");
  await expect(otto.getByText("That code is wrong.")).toBeVisible();
  await otto.getByRole("textbox", { name: "Code" }).fill(code(key, 0));
  await otto.getByRole("button", { name: "Log in" }).click();
  await otto.waitForURL((url) => url.pathname === "/");

  const phone = await (await browser.newContext({ javaScriptEnabled: js })).newPage();
  await logIn(phone, name, recovery);
  await phone.waitForURL((url) => url.pathname === "/");
  await phone.goto("/account/factor");
  await expect(phone.getByText("9 recovery codes are left")).toBeVisible();

  // An administrator asks for one, so that turning it off leads to the next.
  await open(admin, js, `/access/users/${name}`);
  await expect(admin.getByText("with a second factor")).toBeVisible();
  await admin.getByRole("button", { name: "Require a second factor" }).click();
  await expect(admin.getByRole("button", { name: "Require no second factor" })).toBeVisible();
  await phone.goto("/account/factor");
  await phone.getByText("Turn off", { exact: true }).first().click();
  const form = phone.locator("details").filter({ hasText: "Turn off" });
  await form.getByLabel("Current password").fill(ownPassword);
  await form.getByRole("textbox", { name: "Code" }).fill(code(key, 1));
  await form.getByRole("button", { name: "Turn off" }).click();
  await expect(phone.getByText("must have a second factor before it may do anything else")).toBeVisible();
  await phone.goto("/guests");
  await phone.waitForURL("**/account/factor");
  await open(admin, js, `/access/users/${name}`);
  await expect(admin.getByText("must set up a second factor")).toBeVisible();
});
