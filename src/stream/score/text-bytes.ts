const CHUNK_BYTES = 256 * 1024;
/** Of UTF-8 for a unit of UTF-16. */
const MOST_BYTES = 3;

/** Makes bytes of texts, one behind the other in chunks: what waits to be written is then outside the heap, with an object each. */
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
