// Files that a page makes itself.

/** Gives the person a file. */
export function download(content: Blob, name: string): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
}

/** Pixels of the file for each of the picture: sharp on paper and on a slide. */
const SCALE = 2;

/**
 * Gives the person a picture of the engine's as PNG.
 *
 * @throws Error, where the picture cannot be had
 */
export async function downloadPng(svg: string, name: string): Promise<void> {
    const image = new Image();
    image.src = svg;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth * SCALE;
    canvas.height = image.naturalHeight * SCALE;
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
    if (png === null) throw new Error('the browser makes no PNG of this picture');
    download(png, name);
}
