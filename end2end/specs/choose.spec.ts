// Several guests at once: chosen in the list, looked at as one plan, run as one operation.
import { crun, crunState } from "../host.js";
import { eventually, expect, make, open, ready, test } from "./paddock.js";

test("several guests are chosen, looked at and started at once", async ({ admin, js }, info) => {
  const names = [`pick-a-${info.project.name}`, `pick-b-${info.project.name}`, `pick-c-${info.project.name}`];
  for (const name of names) await make(admin, name);
  const [one, , running] = names;
  crun("start", running);
  await expect(async () => expect(crunState(running)).toBe("running")).toPass();

  await open(admin, js, "/guests");
  const start = admin.getByRole("button", { name: "Start…" });
  await expect(start).toBeHidden();
  for (const name of names) await admin.getByRole("checkbox", { name: `Choose ${name}`, exact: true }).check();
  await start.click();
  await admin.waitForURL("**/guests/plan?*");
  await ready(admin, js);
  await expect(admin.getByRole("heading", { name: "Start 3 guests" })).toBeVisible();
  await expect(admin.getByText("2 of 3 guests, 1 is left out")).toBeVisible();
  const parts = admin.locator(".plan-parts > li");
  await expect(parts).toHaveCount(3);
  await expect(parts.filter({ hasText: one })).toContainText(`crun --root`);
  await expect(parts.filter({ hasText: running })).toContainText("left out");
  expect(crunState(one)).toBe("created");

  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.getByRole("heading", { name: "2 succeeded, 1 left out" })).toBeVisible({ timeout: 500 });
  });
  for (const name of names) expect(crunState(name)).toBe("running");

  // By now nothing of it can be done, and nothing can be run.
  await admin.goBack();
  await admin.reload();
  await ready(admin, js);
  await expect(admin.getByText("This cannot be done with any of them now")).toBeVisible();
  await expect(admin.getByRole("button", { name: "Run", exact: true })).toHaveCount(0);
});

test("a plan of many guests that is no longer true is shown anew", async ({ admin, js }, info) => {
  const name = await make(admin, `turn-${info.project.name}`);
  await open(admin, js, `/guests/plan?action=start&guest=crun/${name}`);
  const hash = await admin.locator(".hash code").getAttribute("title");
  crun("start", name);
  crun("kill", name, "KILL");
  await expect(async () => expect(crunState(name)).toBe("stopped")).toPass();
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await expect(admin.getByText("The guest has changed since; this is the plan now")).toBeVisible();
  expect(crunState(name)).toBe("stopped");
  expect(await admin.locator(".hash code").getAttribute("title")).not.toBe(hash);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await expect(async () => expect(crunState(name)).toBe("running")).toPass();
});

test("without a guest or an action there is nothing to plan", async ({ admin, js }) => {
  for (const query of ["", "?action=stop", "?guest=lxc/mail", "?action=explode&guest=lxc/mail"]) {
    await open(admin, js, `/guests/plan${query}`);
    await expect(admin.getByRole("heading", { name: "No guest was chosen" })).toBeVisible();
  }
});

test("what is chosen stays chosen while the list changes", async ({ admin, js }, info) => {
  test.skip(!js, "without scripts nothing changes by itself");
  const name = await make(admin, `stay-${info.project.name}`);
  await open(admin, js, "/guests");
  const box = admin.getByRole("checkbox", { name: `Choose ${name}`, exact: true });
  await box.check();
  // A guest that comes before it in the list.
  const before = await make(admin, `aaa-${info.project.name}`);
  await expect(admin.getByRole("checkbox", { name: `Choose ${before}`, exact: true })).toBeVisible();
  await expect(admin.getByRole("checkbox", { name: `Choose ${before}`, exact: true })).not.toBeChecked();
  await expect(box).toBeChecked();
  await admin.getByRole("button", { name: "Clear", exact: true }).click();
  await expect(box).not.toBeChecked();
  await admin.getByLabel("Filter", { exact: true }).fill(name);
  await admin.getByRole("checkbox", { name: "Choose all that are shown" }).check();
  await expect(box).toBeChecked();
  await expect(admin.getByRole("button", { name: "Stop…" })).toBeVisible();
});
