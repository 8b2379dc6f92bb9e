// A project as Twister's editor wrote it, opened and changed in one property: the file differs by that property, and by nothing else.

import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, save } from './browser';
import { SmallLab } from './small_lab';

/** A lab's own, where it is at hand. */
const SAMPLE = fileURLToPath(
    new URL('../../../shared/twister/data/config/projects/default.xml', import.meta.url),
);

/** In the hand of that editor: every element is there, whether it says something or not. */
const LIKE_IT = `<Root>
    <stoponfail>false</stoponfail>
    <PrePostMandatory>false</PrePostMandatory>
    <DownloadLibraries>flat</DownloadLibraries>
    <ScriptPre/>
    <libraries/>
    <dbautosave>ask</dbautosave>
    <tcdelay/>
    <TestSuite>
        <tsName>Smoke</tsName>
        <Repeat>1</Repeat>
        <PanicDetect>false</PanicDetect>
        <Dependency/>
        <ConfigFiles/>
        <SutName/>
        <EpId/>
        <TestCase>
            <tcName>first.py</tcName>
            <Repeat>1</Repeat>
            <Dependency/>
            <iterationSave>all</iterationSave>
            <Property>
                <propName>Runnable</propName>
                <propValue>true</propValue>
            </Property>
            <Property>
                <propName>Running</propName>
                <propValue>true</propValue>
            </Property>
        </TestCase>
    </TestSuite>
</Root>
`;

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    await lab.test('first.py', 'print("first")\n');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test.each([
    ['like that of a lab', () => Promise.resolve(LIKE_IT)],
    ...(existsSync(SAMPLE) ? [['of a lab', () => readFile(SAMPLE, 'utf8')] as const] : []),
] as const)('a project %s differs by what was changed alone', async (_, sample) => {
    const before = await sample();
    await lab.project('default', {});
    await writeFile(join(lab.folder, 'projects/default.xml'), before);
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/projects/default');
    await page
        .getByRole('tree', { name: /^Suites and tests/ })
        .getByRole('treeitem', { name: /\.py/ })
        .first()
        .click();
    const repeat = page.getByLabel('Repeat');
    await repeat.fill('4');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Undo: Set repeat/ }).waitFor();
    // Before it is saved it is shown what will be another one.
    await page.getByRole('link', { name: 'Difference' }).click();
    await page.getByText('<Repeat>4</Repeat>').first().waitFor();
    await save(page);
    const after = await readFile(join(lab.folder, 'projects/default.xml'), 'utf8');
    const [was, is] = [before.split('\n'), after.split('\n')];
    expect(is).toHaveLength(was.length);
    const different = was.flatMap((line, nth) => (line === is[nth] ? [] : [[line.trim(), is[nth]?.trim()]]));
    expect(different).toEqual([['<Repeat>1</Repeat>', '<Repeat>4</Repeat>']]);
    expect(watch.faults).toEqual([]);
});
