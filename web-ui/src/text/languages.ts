// The language of a file for the code editor, by its name. Each is loaded when a file of it is opened.

import { StreamLanguage, type StreamParser } from '@codemirror/language';
import type { Extension } from '@codemirror/state';

type Load = () => Promise<Extension>;

const stream =
    (parser: () => Promise<StreamParser<unknown>>): Load =>
    async () =>
        StreamLanguage.define(await parser());

const xml: Load = async () =>
    // What somebody types is what they get.
    (await import('@codemirror/lang-xml')).xml({ autoCloseTags: false });
const python = stream(async () => (await import('@codemirror/legacy-modes/mode/python')).python);
const tcl = stream(async () => (await import('@codemirror/legacy-modes/mode/tcl')).tcl);
const perl = stream(async () => (await import('@codemirror/legacy-modes/mode/perl')).perl);
const shell = stream(async () => (await import('@codemirror/legacy-modes/mode/shell')).shell);
const lua = stream(async () => (await import('@codemirror/legacy-modes/mode/lua')).lua);
const ruby = stream(async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby);
const java = stream(async () => (await import('@codemirror/legacy-modes/mode/clike')).java);
const script = stream(async () => (await import('@codemirror/legacy-modes/mode/javascript')).javascript);
const json = stream(async () => (await import('@codemirror/legacy-modes/mode/javascript')).json);
const toml = stream(async () => (await import('@codemirror/legacy-modes/mode/toml')).toml);
const yaml = stream(async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml);

const BY_ENDING: Readonly<Record<string, Load>> = {
    xml,
    html: xml,
    htm: xml,
    py: python,
    plx: perl,
    pl: perl,
    pm: perl,
    tcl,
    exp: tcl,
    sh: shell,
    bash: shell,
    lua,
    rb: ruby,
    java,
    js: script,
    mjs: script,
    ts: script,
    json,
    toml,
    yml: yaml,
    yaml,
};
const BY_PROGRAM: readonly [RegExp, Load][] = [
    [/python/, python],
    [/perl/, perl],
    [/tclsh|wish|expect/, tcl],
    [/\b(ba|da|z|k)?sh\b/, shell],
    [/lua/, lua],
    [/ruby/, ruby],
    [/node/, script],
];

/** How a file's text is coloured; nothing for one of no language that is known here. */
export async function languageOf(file: string, text: string): Promise<Extension> {
    const ending = /\.([^./]+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
    const program = /^#!(.*)/.exec(text)?.[1] ?? '';
    const load = BY_ENDING[ending] ?? BY_PROGRAM.find(([name]) => name.test(program))?.[1];
    return load === undefined ? [] : load();
}
