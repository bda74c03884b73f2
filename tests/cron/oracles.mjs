// Answers the cases of the differential test by two implementations of cron. Standard input: one JSON object a line,
// {expression, zone, at, count} with `at` in seconds; standard output: {parser, croner, offsets} for each. `parser` and
// `croner` are the next times in seconds, or an error's text; `offsets` are the seconds east of UTC at the times asked
// for in `look`, by this Node's own time zone database.
import { createInterface } from 'node:readline';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

const seconds = date => date.getTime() / 1000;

function parser({ expression, zone, at, count }) {
  try {
    const times = CronExpressionParser.parse(expression, { tz: zone, currentDate: new Date(at * 1000) });
    return Array.from({ length: count }, () => seconds(times.next().toDate()));
  } catch (error) {
    return String(error.message);
  }
}

function croner({ expression, zone, at, count }) {
  try {
    return new Cron(expression, { timezone: zone }).nextRuns(count, new Date(at * 1000)).map(seconds);
  } catch (error) {
    return String(error.message);
  }
}

const formats = new Map();

function offset(zone, at) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric',
      day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }));
  }
  const part = Object.fromEntries(formats.get(zone).formatToParts(new Date(at * 1000)).map(p => [p.type, Number(p.value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) / 1000 - at;
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  console.log(JSON.stringify({ parser: parser(asked), croner: croner(asked), offsets: asked.look.map(at => offset(asked.zone, at)) }));
}
