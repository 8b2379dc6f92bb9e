// A viewer sees no button that would be refused, and the engine refuses it as well; what everything is called, and what
// tests and files say, is text wherever it is shown.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

let lab: SmallLab;
let browser: Browser;
let run: number;

const SCRIPT = '<img src=x onerror=alert(1)><script>alert(2)</script>';
const BIDI = '\u202Egnp.exe';

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test('waits.py', 'import time\nwhile True:\n    time.sleep(0.1)\n');
    await lab.test(
        'hostile.py',
        `import jackfield\nprint("""${SCRIPT} ${BIDI} \\x1b]0;title\\x07""")\nprint("x" * 1_000_000)\nassert False, """${SCRIPT}${BIDI}\\x00\\x07 reason"""\n`,
    );
    await lab.project(
        'held',
        { [`${SCRIPT}${BIDI} suite`]: ['hostile.py', 'waits.py'] },
        `<UserDefined><propName>field</propName><propValue>${'&lt;b&gt;bold'}</propValue></UserDefined>`,
    );
    await lab.user('viewer', 'looks at everything', [], ['VIEW_REPORTS']);
    run = await lab.run('held');
    await lab.reached(run, 'running');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a viewer sees no button that would be refused', async () => {
    const { page, context, watch } = await Person.open(browser, lab, 'viewer', 'looks at everything');
    await page.getByRole('link', { name: 'held' }).first().waitFor();
    const deeds = /^(Pause|Resume|Stop|End|Drain|Start|Add tests|Run again|Save|Answer|Take out|Let it)/;
    for (const path of ['/runs', `/runs/${run}`, `/runs/${run}/tests/0`, '/eps/EP-1', '/engine', '/lab']) {
        await page.goto(path);
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        await page
            .getByText(/^Loading/)
            .first()
            .waitFor({ state: 'detached' });
        for (const role of ['button', 'link'] as const) {
            const names = await page.getByRole(role, { name: deeds }).allTextContents();
            expect(names, `${role}s of ${path}`).toEqual([]);
        }
    }
    // What needs a role says which.
    for (const path of ['/engine/log', '/engine/audit']) {
        await page.goto(path);
        await page.getByText('It needs the role CHANGE_SERVICES').waitFor();
    }
    await page.goto('/runs/new');
    await page.getByText('It needs the role RUN_TESTS').waitFor();
    // And the palette offers none of it.
    await page.keyboard.press('Control+k');
    await page.keyboard.type('run');
    const offered = await page.getByRole('option').allTextContents();
    expect(offered.filter((text) => /Pause|Stop run|Start/.test(text))).toEqual([]);
    await page.keyboard.press('Escape');
    // The engine refuses as well.
    for (const deed of ['pause', 'stop', 'retry']) {
        const answer = await context.request.post(`/api/v1/runs/${run}/${deed}`, {
            data: {},
            headers: { Origin: lab.url },
        });
        expect(answer.status(), deed).toBe(403);
    }
    expect(watch.faults).toEqual([]);
});

test('hostile names, reasons and logs are text', async () => {
    const { page, watch } = await Person.open(browser, lab);
    for (const path of [
        `/runs/${run}`,
        `/runs/${run}?view=tree`,
        `/runs/${run}?view=story`,
        `/runs/${run}/tests/0`,
        `/runs/${run}/tests/0?pane=about`,
        '/runs/new?project=held',
        '/engine/audit',
    ]) {
        await page.goto(path);
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        await page
            .getByText(/^Loading/)
            .first()
            .waitFor({ state: 'detached' });
    }
    await page.goto(`/runs/${run}/tests/0`);
    await page.getByText('<script>alert(2)</script>').first().waitFor();
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('hostile');
    await page
        .getByRole('option', { name: /hostile\.py/ })
        .first()
        .waitFor();
    expect(watch.faults).toEqual([]);
});
