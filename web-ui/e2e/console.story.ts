// Two persons at one device that a test uses: who types, who watches, and what the one is told of what the other does.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { tabTo } from './browser';
import { Lab, type Person } from './lab';

/** Asks the router until a file says that it is enough. */
const LONG = `
import pathlib, time
from jackfield import session
router = session("/lab/router")
pathlib.Path("@/open").touch()
while not pathlib.Path("@/enough").exists():
    router.command("show version")
    time.sleep(0.1)
`;
const PROJECT =
    '<Root><TestSuite><tsName>Long</tsName><EpId>EP-1001</EpId><TestCase><tcName>long.py</tcName></TestCase></TestSuite></Root>';
const ROLES = ['VIEW_REPORTS', 'RUN_TESTS', 'CHANGE_TESTBED'];

let lab: Lab;
let run: number;

beforeAll(async () => {
    lab = await Lab.start();
    mkdirSync(join(lab.folder, 'tests'), { recursive: true });
    writeFileSync(join(lab.folder, 'tests/long.py'), LONG.replaceAll('@', lab.folder));
    const relay = (word: string): string[] => ['sh', '-c', `echo ${word} >> ${lab.folder}/relay`];
    const power = {
        command: { on: relay('on'), off: relay('off'), status: ['tail', '-n1', `${lab.folder}/relay`] },
    };
    await lab.ask('PUT', '/resources', { parent: '/lab', name: 'router', properties: { power } });
    ({ run } = (await lab.ask('POST', '/runs', { project: 'long', xml: PROJECT })) as { run: number });
});

afterAll(async () => {
    writeFileSync(join(lab.folder, 'enough'), '');
    await lab.stop();
});

/** The words in the terminal, as a screen reader hears them. */
async function screen(page: Page): Promise<string> {
    return (await page.locator('.xterm-accessibility-tree').innerText()).replaceAll('\u00a0', ' ');
}

async function see(page: Page, words: string): Promise<void> {
    await expect.poll(() => screen(page), { timeout: 30_000, interval: 200 }).toContain(words);
}

function standing(page: Page, words: string): Promise<void> {
    return page.locator('.standing', { hasText: words }).waitFor();
}

test('one watches, the other takes over and lets go, and the power is switched over nobody’s head', async () => {
    const [ana, bob]: [Person, Person] = await Promise.all([
        lab.join('ana', ROLES),
        lab.join('bob', ROLES, { theme: 'dark' }),
    ]);

    // Ana finds the device in the lab, with the keyboard alone, and sees that a run has it.
    await ana.page.goto('/lab');
    await ana.page.getByRole('treeitem', { name: 'router' }).waitFor();
    await ana.page.getByRole('tree').focus();
    await ana.page.keyboard.type('rout');
    await ana.page.keyboard.press('Enter');
    await ana.page.getByRole('heading', { name: 'router' }).waitFor();
    await ana.page.locator('.uses', { hasText: `run ${run} (admin) has session` }).waitFor();
    await ana.page.getByRole('link', { name: 'Watch or take over' }).focus();
    await ana.page.keyboard.press('Enter');
    await standing(ana.page, `run ${run} uses it, you watch`);
    await see(ana.page, 'show version');

    // Bob comes, and both know.
    await bob.page.goto(`/console?resource=${encodeURIComponent('/lab/router')}`);
    await standing(bob.page, `run ${run} uses it, you watch`);
    await see(bob.page, 'show version');
    await ana.page.getByText('bob watches').waitFor();
    await bob.page.getByText('ana watches').waitFor();

    // What one types while watching goes nowhere, and they are told.
    await bob.page.keyboard.type('x');
    await bob.page.getByText('you watch; take over before you type').waitFor();

    // Ana takes over; the test waits, and bob sees who types, and what.
    await ana.page.getByRole('button', { name: 'Take over' }).focus();
    await ana.page.keyboard.press('Enter');
    await standing(ana.page, 'you type');
    await standing(bob.page, 'ana types, you watch');
    await ana.page.locator('.xterm-helper-textarea').focus();
    await ana.page.keyboard.type('show clock');
    await ana.page.keyboard.press('Enter');
    await see(ana.page, 'show clock');
    await see(bob.page, 'show clock');
    await bob.page.getByRole('button', { name: 'Take over' }).click();
    await bob.page.getByText('ana types; take over when they have let go').waitFor();

    // Bob switches the power. He is told who uses it, does it all the same, and ana is told by whom.
    await bob.page.getByRole('button', { name: 'Power' }).click();
    await bob.page.getByRole('menuitem', { name: 'Power off', exact: true }).click();
    await bob.page.getByRole('button', { name: 'Switch off', exact: true }).click();
    await bob.page
        .getByText(/has session|holds|on a console/)
        .first()
        .waitFor();
    await bob.page.getByRole('button', { name: 'Switch off all the same' }).click();
    await bob.page.getByText('/lab/router is off').waitFor();
    await ana.page.getByText('bob switches the power of /lab/router: off').waitFor();

    // The keyboard comes back to the page from the device, which takes every other key.
    await ana.page.locator('.xterm-helper-textarea').focus();
    await ana.page.keyboard.press('Control+Shift+Escape');
    await ana.page.getByRole('button', { name: 'Let go' }).focus();
    await ana.page.keyboard.press('Enter');
    await standing(ana.page, `run ${run} uses it, you watch`);
    await bob.page.getByText('ana let go').waitFor();
    await ana.page.getByRole('button', { name: 'Leave' }).click();
    await ana.page.getByText('It is over').waitFor();
    expect([ana.faults, bob.faults]).toEqual([[], []]);
});

test('two persons at one device without a mouse', async () => {
    const [cleo, dan]: [Person, Person] = await Promise.all([
        lab.join('cleo', ROLES),
        lab.join('dan', ROLES),
    ]);
    for (const { page } of [cleo, dan]) {
        await page.goto('/runs');
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        // The palette finds the device; its page says who has it and leads to the session.
        await page.keyboard.press('Control+k');
        await page.keyboard.type('/lab/router');
        await page.getByRole('option', { name: 'router' }).first().waitFor();
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'router' }).waitFor();
        await tabTo(page, page.getByRole('link', { name: 'Watch or take over' }));
        await page.keyboard.press('Enter');
        await standing(page, `run ${run} uses it, you watch`);
        await see(page, 'show version');
        // The terminal has the keys, until they are given back.
        await page.keyboard.press('Control+Shift+Escape');
    }
    await cleo.page.getByText(/\bdan\b.* watch/).waitFor();

    await tabTo(cleo.page, cleo.page.getByRole('button', { name: 'Take over' }));
    await cleo.page.keyboard.press('Enter');
    await standing(cleo.page, 'you type');
    await standing(dan.page, 'cleo types, you watch');
    await tabTo(cleo.page, cleo.page.locator('.xterm-helper-textarea'));
    await cleo.page.keyboard.type('show clock');
    await cleo.page.keyboard.press('Enter');
    await see(dan.page, 'show clock');

    // Dan switches it off: a menu, a question, and a second one, since it is used.
    await tabTo(dan.page, dan.page.getByRole('button', { name: 'Power' }));
    await dan.page.keyboard.press('ArrowDown');
    await dan.page.keyboard.press('ArrowDown');
    await dan.page.keyboard.press('Enter');
    await dan.page.getByRole('dialog', { name: 'Switch off /lab/router?' }).waitFor();
    await tabTo(dan.page, dan.page.getByRole('button', { name: 'Switch off', exact: true }));
    await dan.page.keyboard.press('Enter');
    await tabTo(dan.page, dan.page.getByRole('button', { name: 'Switch off all the same' }));
    await dan.page.keyboard.press('Enter');
    await cleo.page.getByText('dan switches the power of /lab/router: off').waitFor();

    await cleo.page.keyboard.press('Control+Shift+Escape');
    await tabTo(cleo.page, cleo.page.getByRole('button', { name: 'Let go' }));
    await cleo.page.keyboard.press('Enter');
    await standing(cleo.page, `run ${run} uses it, you watch`);
    await dan.page.getByText('cleo let go').waitFor();
    for (const { page } of [cleo, dan]) {
        await page.keyboard.press('Control+Shift+Escape');
        await tabTo(page, page.getByRole('button', { name: 'Leave' }));
        await page.keyboard.press('Enter');
        await page.getByText('It is over').waitFor();
    }
    expect([cleo.faults, dan.faults]).toEqual([[], []]);
});

test('who may only look sees no button that would be refused', async () => {
    const eve = await lab.join('eve', ['VIEW_REPORTS']);
    await eve.page.goto('/lab/lab/router');
    await eve.page.getByRole('heading', { name: 'router' }).waitFor();
    await eve.page.getByRole('link', { name: 'Watch', exact: true }).first().waitFor();
    expect(await eve.page.getByRole('link', { name: 'Open a console' }).count()).toBe(0);
    expect(await eve.page.getByRole('button', { name: 'Off', exact: true }).count()).toBe(0);
    // Secrets are not on the screen; and what she may not do, the engine refuses as well.
    expect(await eve.page.getByText('lab-enable').count()).toBe(0);
    expect(await eve.page.getByRole('button', { name: 'Show secrets' }).count()).toBe(0);
    const tree = await eve.page.request.get('/api/v1/resources/tree');
    expect(await tree.text()).not.toContain('lab-enable');
    const answer = await eve.page.request.post('/api/v1/resources/power', {
        data: { resource: '/lab/router', action: 'off' },
        headers: { Origin: lab.url },
    });
    expect(answer.status()).toBe(403);
    expect(eve.faults).toEqual([]);
});
