// A Bolt for JavaScript app on the playground: it answers /ops and mentions. The addresses come from the environment.
import bolt from "@slack/bolt";

const app = new bolt.App({
  token: process.env.BOT_TOKEN,
  appToken: process.env.APP_TOKEN,
  socketMode: true,
  logLevel: bolt.LogLevel.ERROR,
  clientOptions: { slackApiUrl: process.env.API_URL },
});

app.command("/ops", async ({ ack, command, client }) => {
  await ack();
  await client.chat.postMessage({ channel: command.channel_id, text: `command: ${command.text}` });
});
app.event("app_mention", async ({ event, say }) => {
  await say({ text: `mention: ${event.text}`, thread_ts: event.ts });
});

await app.start();
console.log("ready");
