// Who may do what: given and taken back on the pages, and what somebody with few rights finds.
import { eventually, expect, make, open, person, ready, test } from "./paddock.js";

test("a role on one guest is given, tried and taken back", async ({ admin, js, browser }, info) => {
  const guest = await make(admin, `scope-${info.project.name}`);
  const name = `anna-${info.project.name}`;
  const anna = await person(admin, js, browser, name);
  // Nothing is there for her: no guest, no history, and no page about access.
  await ready(anna, js);
  await expect(anna.getByRole("link", { name: guest })).toHaveCount(0);
  await expect(anna.getByRole("link", { name: "Access", exact: true })).toHaveCount(0);
  await open(anna, js, `/guests/crun/${guest}`);
  await expect(anna.getByRole("heading", { name: `There is no guest crun/${guest}` })).toBeVisible();

  await open(admin, js, "/access/grants");
  await admin.getByLabel("To", { exact: true }).selectOption(`user:${name}`);
  await admin.getByLabel("Role", { exact: true }).selectOption("viewer");
  await admin.getByLabel("On", { exact: true }).fill("guest:crun/no such");
  await admin.getByRole("button", { name: "Give role" }).click();
  await expect(admin.getByText("A grant holds on “everything”")).toBeVisible();
  await ready(admin, js);
  await admin.getByLabel("To", { exact: true }).selectOption(`user:${name}`);
  await admin.getByLabel("Role", { exact: true }).selectOption("viewer");
  await admin.getByLabel("On", { exact: true }).fill(`guest:crun/${guest}`);
  await admin.getByRole("button", { name: "Give role" }).click();
  const grant = admin.getByRole("row").filter({ hasText: `guest:crun/${guest}` });
  await expect(grant).toContainText(name);

  // She sees it, and its buttons say what is missing and where.
  await open(anna, js, "/guests");
  await expect(anna.getByRole("link", { name: guest, exact: true })).toBeVisible();
  await open(anna, js, `/guests/crun/${guest}`);
  const start = anna.getByRole("button", { name: "Start", exact: true });
  await expect(start).toHaveAttribute("aria-disabled", "true");
  await expect(anna.getByText(`You lack the privilege “power” on crun/${guest}`).first()).toBeAttached();
  await open(anna, js, "/guests");
  await expect(anna.getByRole("button", { name: `Start ${guest}. You lack` })).toHaveAttribute("aria-disabled", "true");

  // What she may do and why, for the administrator and for herself.
  await open(admin, js, `/access/users/${name}`);
  await expect(admin.getByRole("row").filter({ hasText: "history" })).toContainText(/viewer.*their own, grant/);
  await open(anna, js, `/access/users/${name}`);
  await expect(anna.getByRole("row").filter({ hasText: "see" })).toContainText(`guest:crun/${guest}`);
  await expect(anna.getByRole("button", { name: "Disable" })).toHaveCount(0);

  await open(admin, js, "/access/grants");
  await grant.getByRole("button", { name: "Take" }).click();
  await eventually(admin, js, async () => expect(grant).toHaveCount(0, { timeout: 500 }));
  await open(anna, js, `/guests/crun/${guest}`);
  await expect(anna.getByRole("heading", { name: `There is no guest crun/${guest}` })).toBeVisible();

  // Disabled, she is out with her next request.
  await open(admin, js, `/access/users/${name}`);
  await admin.getByRole("button", { name: "Disable" }).click();
  await expect(admin.getByRole("button", { name: "Enable" })).toBeVisible();
  await anna.goto("/guests");
  await anna.waitForURL((url) => url.pathname === "/login");
  await anna.context().close();
});

test("a group and a role of one's own carry a right to whoever is in it", async ({ admin, js }, info) => {
  const [role, group] = [`night-${info.project.name}`, `ops-${info.project.name}`];
  await open(admin, js, "/access/roles");
  const add = admin.getByRole("region", { name: "Add a role" });
  await add.getByLabel("Name").fill(role);
  await add.getByRole("checkbox", { name: /^see/ }).check();
  await add.getByRole("checkbox", { name: /^power/ }).check();
  await add.getByRole("button", { name: "Add role" }).click();
  await expect(admin.getByRole("heading", { name: role })).toBeVisible();

  await open(admin, js, "/access/groups");
  await admin.getByLabel("Name").fill(group);
  await admin.getByRole("button", { name: "Add group" }).click();
  const panel = admin.locator(".panel").filter({ has: admin.getByRole("heading", { name: group }) });
  await expect(panel).toContainText("Nobody is in it.");
  await panel.getByLabel(`Add to ${group}`).selectOption("admin");
  await panel.getByRole("button", { name: "Add", exact: true }).click();
  await expect(panel.getByRole("link", { name: "admin" })).toBeVisible();

  await open(admin, js, "/access/grants");
  await admin.getByLabel("To", { exact: true }).selectOption(`group:${group}`);
  await admin.getByLabel("Role", { exact: true }).selectOption(role);
  await admin.getByLabel("On", { exact: true }).fill("tag:lab");
  await admin.getByRole("button", { name: "Give role" }).click();
  await expect(admin.getByRole("row").filter({ hasText: role })).toContainText("tag:lab");
  await open(admin, js, "/access/users/admin");
  await expect(admin.getByRole("row").filter({ hasText: role }).first()).toContainText(`group ${group}`);

  // A role that somebody has cannot be removed, and says so.
  await open(admin, js, "/access/roles");
  const own = admin.locator(".panel").filter({ has: admin.getByRole("heading", { name: role }) });
  await own.getByText("Change", { exact: true }).click();
  await own.getByRole("button", { name: "Remove role" }).click();
  await expect(admin.getByText(`The role ${role} is still granted.`)).toBeVisible();
});

test("the last administrator cannot be put out", async ({ admin, js }) => {
  await open(admin, js, "/access/users/admin");
  await admin.getByRole("button", { name: "Disable" }).click();
  await expect(admin.getByText("Nobody would be left who may do everything.")).toBeVisible();
  await open(admin, js, "/access/users/admin");
  await expect(admin.getByText("active")).toBeVisible();
});

test("whoever may change users ends somebody's sessions and removes their tokens", async ({ admin, js, browser }, info) => {
  const name = `mia-${info.project.name}`;
  const mia = await person(admin, js, browser, name);
  await open(mia, js, "/account");
  await mia.getByText("New token", { exact: true }).click();
  await mia.getByLabel("Name").fill("nightly");
  await mia.getByRole("button", { name: "Make token" }).click();
  await expect(mia.getByRole("row").filter({ hasText: "nightly" })).toBeVisible();

  await open(admin, js, `/access/users/${name}`);
  const [sessions, tokens] = ["Sessions", "API tokens"].map((label) => admin.getByRole("region", { name: label }));
  await expect(sessions.getByRole("row")).toHaveCount(2);
  await expect(tokens.getByRole("row").filter({ hasText: "nightly" })).toContainText("see, history");
  await tokens.getByRole("button", { name: `Remove nightly of ${name}` }).click();
  await expect(tokens.getByText("None yet.")).toBeVisible();
  expect(new URL(admin.url()).pathname).toBe(`/access/users/${name}`);
  await sessions.getByRole("button", { name: /^End Chrome/ }).click();
  await expect(sessions.getByText("Logged in nowhere.")).toBeVisible();
  expect(new URL(admin.url()).pathname).toBe(`/access/users/${name}`);
  await mia.goto("/guests");
  await mia.waitForURL((url) => url.pathname === "/login");
  await mia.context().close();
});

test("who had which role is told as of any moment, and every change of one person", async ({ admin, js, browser }, info) => {
  const [name, group] = [`noa-${info.project.name}`, `shift-${info.project.name}`];
  const noa = await person(admin, js, browser, name);
  await noa.context().close();
  const form = (path: string, fields: Record<string, string>) =>
    post(admin, `/api/access/${path}`, fields);
  await form("add-group", { name: group });
  await form("set-member", { group, user: name, member: "true" });
  await form("add-grant", { holder: `group:${group}`, role: "operator", scope: "tag:lab" });
  const moment = await second(admin);
  await form("set-member", { group, user: name, member: "false" });

  await open(admin, js, `/access/history?user=${name}`);
  await expect(admin.getByText(`${name} had no role then`)).toBeVisible();
  const changes = admin.getByRole("region", { name: "Changes" }).getByRole("row");
  await expect(changes).toHaveCount(5);
  await expect(changes.nth(1)).toContainText(`Took ${name} out of the group ${group}`);
  await expect(changes.nth(2)).toContainText(`Gave the group ${group} the role operator on tag:lab`);

  await admin.getByLabel("At", { exact: true }).fill(moment);
  await admin.getByRole("button", { name: "Show" }).click();
  const held = admin.getByRole("region", { name: "Who had which role at" }).getByRole("row");
  await expect(held.filter({ hasText: "tag:lab" })).toContainText(`group ${group}`);
  await expect(admin).toHaveURL(/at=.*user=/);
  await admin.getByLabel("At", { exact: true }).fill("1999-12-31");
  await admin.getByRole("button", { name: "Show" }).click();
  await expect(admin.getByText("Nothing is known of that time.")).toBeVisible();
  await expect(changes).toHaveCount(5);
});

/** Asks as the pages' own forms do. */
async function post(page: Page, path: string, form: Record<string, string>) {
  const reply = await page.request.post(path, { form, headers: { accept: "application/json" } });
  expect(reply.status(), await reply.text()).toBe(200);
}

/** The next whole second by the server's clock, once it has come: what was done is before it, what is done next is not. */
async function second(page: Page): Promise<string> {
  const now = async () => (await (await page.request.get("/api/account/frame")).json()).now_ms as number;
  const until = (Math.floor((await now()) / 1000) + 1) * 1000;
  await expect.poll(now).toBeGreaterThan(until);
  return new Date(until).toISOString().slice(0, 19);
}
