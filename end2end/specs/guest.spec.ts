// One guest: its tabs, a command in it, a change of it, its snapshots, and a copy of it.
import { crun, lxc, lxcInfo } from "../host.js";
import { container, eventually, expect, make, open, ready, test } from "./paddock.js";

test("each tab has an address, which back and reload keep", async ({ admin, js }) => {
  await open(admin, js, "/guests/lxc/mail");
  for (const tab of ["Timeline", "Configuration", "Snapshots", "Exec"]) {
    await admin.getByRole("navigation", { name: "Guest", exact: true }).getByRole("link", { name: tab }).click();
    await admin.waitForURL(`**/mail/${tab.toLowerCase()}`);
    await expect(admin.getByRole("link", { name: tab, exact: true })).toHaveAttribute("aria-current", "page");
    await expect(admin).toHaveTitle(new RegExp(`mail: ${tab.toLowerCase()}`));
  }
  await admin.goBack();
  await expect(admin.getByRole("link", { name: "Snapshots", exact: true })).toHaveAttribute("aria-current", "page");
  await expect(admin.getByRole("heading", { name: "Take a snapshot" })).toBeVisible();
  await admin.reload();
  await expect(admin.getByRole("heading", { name: "Take a snapshot" })).toBeVisible();
});

test("a command shows what it says and how it ends", async ({ admin, js }, info) => {
  const name = await make(admin, `exec-${info.project.name}`);
  crun("start", name);
  await open(admin, js, `/guests/crun/${name}/exec`);
  await admin.getByRole("textbox", { name: "Command" }).fill(`sh -c 'echo "<$1>"; exit 3' - 'two  words'`);
  if (js) await expect(admin.locator(".argv li")).toHaveText(["sh", "-c", 'echo "<$1>"; exit 3', "-", "two  words"]);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL(js ? "**/exec?**operation=**" : "**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.getByLabel("Output")).toHaveText("<two  words>", { timeout: 500 });
    await expect(admin.getByText("exit 3", { exact: true })).toBeVisible({ timeout: 500 });
  });
  if (js) {
    // The address shows the same again, and the record is one click away.
    await admin.reload();
    await expect(admin.getByLabel("Output")).toHaveText("<two  words>");
    await admin.getByRole("link", { name: /in the history/ }).click();
    await admin.waitForURL("**/history/*");
  }
  await expect(admin.locator("main header").getByText("failed", { exact: true })).toBeVisible();
});

test("what is wrong with a command is said while one types", async ({ admin, js }, info) => {
  test.skip(!js, "the server says it, too");
  const name = await make(admin, `typo-${info.project.name}`);
  await open(admin, js, `/guests/crun/${name}/exec`);
  await admin.getByRole("textbox", { name: "Command" }).fill("echo 'a");
  await expect(admin.getByText("A quotation mark is not closed")).toBeVisible();
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await expect(admin).toHaveURL(/\/exec$/);
  await expect(admin.getByRole("textbox", { name: "Command" })).toBeFocused();
});

test("memory is changed by its plan, and the file holds it", async ({ admin, js }, info) => {
  const name = await container(admin, `conf-${info.project.name}`);
  await open(admin, js, `/guests/lxc/${name}/configuration`);
  if (js) {
    await admin.getByLabel("Memory").fill("lots");
    await expect(admin.getByText("Enter a size in bytes or with a unit")).toBeVisible();
  }
  await admin.getByLabel("Memory").fill("64M");
  await admin.getByRole("button", { name: "Show what would change" }).click();
  await admin.waitForURL("**/plan/configure?**");
  await ready(admin, js);
  await expect(admin.locator(".step").getByText("67108864")).toBeVisible();

  await admin.getByRole("link", { name: "Change what is asked for" }).click();
  await admin.waitForURL("**/configuration?**");
  await expect(admin.getByLabel("Memory")).toHaveValue("64M");
  await admin.getByRole("button", { name: "Show what would change" }).click();
  await ready(admin, js);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
  await open(admin, js, `/guests/lxc/${name}/configuration`);
  await expect(admin.getByLabel("Memory")).toHaveValue("64M");
  await expect(admin.getByLabel("Configuration")).toContainText("67108864");
});

test("a snapshot is taken and gone back to by typing its name", async ({ admin, js }, info) => {
  const name = await container(admin, `snap-${info.project.name}`);
  const succeeded = async () => {
    await admin.waitForURL("**/history/*");
    await eventually(admin, js, async () => {
      await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
    });
  };
  await open(admin, js, `/guests/lxc/${name}/snapshots`);
  await expect(admin.getByText("There are no snapshots yet")).toBeVisible();
  await admin.getByLabel("Description").fill("before the trip");
  await admin.getByRole("button", { name: "Take a snapshot" }).click();
  await admin.waitForURL("**/plan/snapshot?**");
  await ready(admin, js);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await succeeded();

  await open(admin, js, `/guests/lxc/${name}/snapshots`);
  await expect(admin.getByRole("row").filter({ hasText: "snap0" })).toContainText("before the trip");
  await admin.getByRole("button", { name: "Roll back" }).click();
  await admin.waitForURL("**/plan/rollback?snapshot=snap0");
  await ready(admin, js);
  await expect(admin.getByText("Gone for good")).toBeVisible();
  // Enter with nothing typed runs nothing.
  await admin.getByRole("textbox").press("Enter");
  await expect(admin.getByText("Type the snapshot's name, snap0, to go back to it. Nothing was run.")).toBeVisible();
  await admin.getByRole("textbox").fill("snap0");
  await admin.getByRole("button", { name: "Roll back", exact: true }).click();
  await succeeded();
  expect(lxcInfo(name)).toBe("STOPPED");
});

test("a copy is asked for by the menu", async ({ admin, js }, info) => {
  const name = await container(admin, `orig-${info.project.name}`);
  const copy = `copy-${info.project.name}`;
  if (lxcInfo(copy) !== "") lxc("lxc-destroy", "-n", copy);
  await open(admin, js, `/guests/lxc/${name}`);
  await admin.getByText("More", { exact: true }).click();
  await admin.getByRole("link", { name: "Clone", exact: true }).click();
  await admin.waitForURL("**/do/clone");
  await ready(admin, js);
  await admin.getByLabel("Name of the copy").fill(copy);
  await admin.getByRole("button", { name: "Show the plan" }).click();
  await admin.waitForURL("**/plan/clone?**");
  await ready(admin, js);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await expect(async () => expect(lxcInfo(copy)).toBe("STOPPED")).toPass();
});
