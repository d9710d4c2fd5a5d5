const CHUNK_BYTES = 256 * 1024;
/** Most UTF-8 bytes per UTF-16 unit. */
const MOST_BYTES = 3;

/** Encodes strings back to back into chunks: output that waits is then outside the heap, with one object per record. */
export function createTextBytes(): (text: string) => Buffer {
  let chunk = Buffer.alloc(0);
  let end = 0;
  return (text) => {
    const most = MOST_BYTES * text.length;
    if (end + most > chunk.length) {
      chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      end = 0;
    }
    const start = end;
    end += chunk.write(text, start);
    return chunk.subarray(start, end);
  };
}
