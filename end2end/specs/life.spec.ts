// The main job: create, start, shut down, stop and delete, with the tools of the host agreeing at each step.
import { bundle, crunState, lxcInfo } from "../host.js";
import { eventually, expect, open, press, remove, test, toPlan } from "./paddock.js";

test("an LXC container from busybox", async ({ admin, js }, info) => {
  const name = `web-${info.project.name}`;
  await open(admin, js, "/guests");
  await admin.getByRole("link", { name: "New guest" }).click();
  await admin.waitForURL("**/guests/new");
  await admin.getByRole("radio", { name: "LXC" }).check();
  await admin.getByLabel("Name").fill(name);
  await admin.getByLabel("Template", { exact: true }).selectOption("busybox");
  await toPlan(admin, js);
  await expect(admin.getByText(new RegExp(`lxc-create -P \\S+ -n ${name} -t busybox`)).first()).toBeVisible();
  expect(lxcInfo(name)).toBe("");
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
  await expect(admin.getByText(new RegExp(`lxc-create -P \\S+ -n ${name} -t busybox`)).first()).toBeVisible();
  expect(lxcInfo(name)).toBe("STOPPED");

  await press(admin, js, `lxc/${name}`, "Start", "running");
  expect(lxcInfo(name)).toBe("RUNNING");
  await press(admin, js, `lxc/${name}`, "Shut down", "stopped");
  expect(lxcInfo(name)).toBe("STOPPED");
  await press(admin, js, `lxc/${name}`, "Start", "running");
  await press(admin, js, `lxc/${name}`, "Stop", "stopped");
  expect(lxcInfo(name)).toBe("STOPPED");
  await remove(admin, js, `lxc/${name}`);
  expect(lxcInfo(name)).toBe("");

  await open(admin, js, `/history?text=${name}`);
  for (const action of ["Create", "Start", "Shut down", "Stop", "Delete"]) {
    await expect(admin.locator("main ol.ops").getByText(action, { exact: false }).first()).toBeVisible();
  }
  await expect(admin.locator("main ol.ops").getByText("admin").first()).toBeVisible();
});

test("a crun container from a bundle", async ({ admin, js }, info) => {
  const name = `job-${info.project.name}-${process.pid}`;
  await open(admin, js, "/guests/new");
  await admin.getByLabel("Name").fill(name);
  await admin.getByRole("radio", { name: "crun" }).check();
  if (!js) await admin.getByRole("button", { name: "Show its fields" }).click();
  await expect(admin.getByLabel("Name")).toHaveValue(name);
  await admin.getByRole("radio", { name: "A bundle" }).check();
  await admin.getByLabel("OCI bundle").fill(bundle);
  await toPlan(admin, js);
  await admin.getByRole("button", { name: "Run", exact: true }).click();
  await admin.waitForURL("**/history/*");
  await eventually(admin, js, async () => {
    await expect(admin.locator("main header").getByText("succeeded", { exact: true })).toBeVisible({ timeout: 500 });
  });
  expect(crunState(name)).toBe("created");

  await press(admin, js, `crun/${name}`, "Start", "running");
  expect(crunState(name)).toBe("running");
  await press(admin, js, `crun/${name}`, "Shut down", "stopped");
  expect(crunState(name)).toBe("stopped");
  await press(admin, js, `crun/${name}`, "Start", "running");
  await press(admin, js, `crun/${name}`, "Stop", "stopped");
  expect(crunState(name)).toBe("stopped");
  await remove(admin, js, `crun/${name}`);
  expect(crunState(name)).toBe("");
});
