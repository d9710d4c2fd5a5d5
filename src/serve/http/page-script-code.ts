/** The part of the page's script that shows a request as code to copy and run. */
export const CODE_SCRIPT = String.raw`
/** A row is a list of names with their JSON, since an object would not keep every name. */
function jsonBody(row) {
  return '{"rows": [{' + row.map(([name, json]) => JSON.stringify(name) + ': ' + json).join(', ') + '}]}';
}

const CODE = {
  curl(url, row, withToken) {
    const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
    return [
      'curl -s ' + quoted(url),
      "-H 'Content-Type: application/json'",
      ...(withToken ? ['-H "Authorization: Bearer $TOKEN"'] : []),
      '-d ' + quoted(jsonBody(row)),
    ].join(' \\\n  ');
  },

  python(url, row, withToken) {
    const words = { null: 'None', true: 'True', false: 'False' };
    // Every other JSON value is written alike in Python.
    const pairs = row.map(([name, json]) => JSON.stringify(name) + ': ' + (words[json] || json));
    return [
      withToken ? 'import json, os, urllib.request' : 'import json, urllib.request',
      '',
      'request = urllib.request.Request(',
      '    ' + JSON.stringify(url) + ',',
      '    data=json.dumps({"rows": [{' + pairs.join(', ') + '}]}).encode(),',
      '    headers={"Content-Type": "application/json"' + (withToken ? ', "Authorization": "Bearer " + os.environ["TOKEN"]' : '') + '},',
      ')',
      'print(json.load(urllib.request.urlopen(request)))',
    ].join('\n');
  },

  fetch(url, row, withToken) {
    // In an object literal, a key __proto__ would set the prototype.
    const pairs = row.map(([name, json]) => (name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)) + ': ' + json);
    return [
      'const response = await fetch(' + JSON.stringify(url) + ', {',
      '  method: "POST",',
      '  headers: { "Content-Type": "application/json"' + (withToken ? ', Authorization: "Bearer " + token' : '') + ' },',
      '  body: JSON.stringify({ rows: [{ ' + pairs.join(', ') + ' }] }),',
      '});',
      'console.log(await response.json());',
    ].join('\n');
  },
};
`;
