import { lxc, lxcInfo } from "../host.js";
import { eventually, expect, open, test } from "./paddock.js";

const names: [string, RegExp][] = [
  ["../x", /starts with a letter/],
  ["a b", /cannot contain a blank/],
  ["-n", /starts with a letter/],
  [".hidden", /starts with a letter/],
  ["ü", /starts with a letter/],
  ["x".repeat(300), /300 characters/],
  ["", /Enter a name/],
];

for (const [name, message] of names) {
  test(`the name ${JSON.stringify(name.slice(0, 12))} is refused beside its field and the rest is kept`, async ({
    admin,
    js,
  }) => {
    await open(admin, js, "/guests/new");
    await admin.getByRole("radio", { name: "LXC" }).check();
    await admin.getByLabel("Name").fill(name);
    await admin.getByLabel("Arguments of the template").fill("--one\n--two <b>");
    if (js) {
      await admin.getByRole("button", { name: "Next", exact: true }).click();
      await expect(admin.getByLabel("Name")).toHaveAttribute("aria-invalid", "true");
      await expect(admin.getByLabel("Name")).toBeFocused();
    } else {
      await admin.getByRole("button", { name: "Show what will run" }).click();
    }
    await expect(admin.getByText(message)).toBeVisible();
    if (!js) await admin.getByRole("link", { name: "Change what is asked for" }).click();
    await expect(admin.getByLabel("Name")).toHaveValue(name);
    await expect(admin.getByLabel("Arguments of the template")).toHaveValue("--one\n--two <b>");
  });
}

test("an unknown guest, operation and address are pages that say so", async ({ admin }) => {
  for (const path of ["/guests/lxc/nobody", "/history/987654", "/nowhere"]) {
    const reply = await admin.goto(path);
    expect(reply?.status()).toBe(404);
    await expect(admin.getByRole("heading").first()).toBeVisible();
  }
});

test("what the state forbids is shown as such and does nothing", async ({ admin, js }) => {
  await open(admin, js, "/guests/lxc/files");
  const start = admin.getByRole("button", { name: "Start", exact: true });
  await expect(start).toHaveAttribute("aria-disabled", "true");
  await start.focus();
  await expect(start).toHaveAccessibleDescription("Not while it is running");
  await expect(admin.locator("#tip-start")).toBeVisible();
  await start.press("Enter");
  expect(lxcInfo("files")).toBe("RUNNING");
});

test("a delete with another name deletes nothing", async ({ admin, js }) => {
  await open(admin, js, "/guests/lxc/mail/plan/delete");
  await expect(admin.getByText(/lxc-destroy -P \S+ -n mail/)).toBeVisible();
  await admin.getByRole("textbox").fill("files");
  await admin.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(admin.getByText("Type the guest's name, mail, to delete it. Nothing was run.")).toBeVisible();
  expect(lxcInfo("mail")).toBe("STOPPED");
});

test("what somebody does at the host's own shell shows up", async ({ admin, js }) => {
  await open(admin, js, "/guests/lxc/mail/configuration");
  await expect(admin.getByText("lxc.rootfs.path", { exact: false })).toBeVisible();
  const memory = admin.getByLabel("Memory");
  if (js) await memory.fill("123M");
  lxc("lxc-start", "-n", "mail", "-d");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("running", { exact: true })).toBeVisible({ timeout: 500 });
  });
  // What is being typed stays although the page has changed around it.
  if (js) await expect(memory).toHaveValue("123M");
  lxc("lxc-stop", "-n", "mail", "-k");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("stopped", { exact: true })).toBeVisible({ timeout: 500 });
  });
});
