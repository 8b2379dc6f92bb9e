// An answer that comes as one JSON object a line, read as it comes.

/** Calls `take` with the objects of each piece, until the answer ends. */
export async function read<T>(body: ReadableStream<Uint8Array>, take: (words: T[]) => void): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let held = '';
    for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        const lines = (held + decoder.decode(value, { stream: true })).split('\n');
        held = lines.pop() ?? '';
        // The engine writes what the type says; a proxy that writes something else is no JSON and throws.
        if (lines.length > 0) take(lines.map((line) => JSON.parse(line) as T));
    }
    if (held !== '') take([JSON.parse(held) as T]);
}
