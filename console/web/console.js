// The console: figures by asking now and then, commands by an event stream, details by address.

import * as exceptions from "./exceptions.js";
import * as feed from "./feed.js";
import * as session from "./session.js";
import * as sheet from "./sheet.js";
import * as status from "./status.js";

await session.start();
status.start();
exceptions.start();
feed.start();
sheet.start();
