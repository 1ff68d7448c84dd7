using System.Globalization;
using Meanwhile.Path.Bench;

// What "meanwhile bench" does not measure of a message's way.
//   latency    MESSAGES PROGRAM [PAUSE [nodelay]]    one message alone, from its publication to our PUBACK, beside the disk's fdatasync; PAUSE is milliseconds
//   memory     SECONDS PROGRAM                       the memory that it holds at full rate
//   watched    MESSAGES ROUNDS SERIES PROGRAM        at full rate into the embedded broker, with and without somebody at the dashboard
//   page       ROUNDS SERIES RATE PROGRAM            what somebody at the dashboard waits for, in Chromium, while so many readings come a second
switch (args)
{
    case ["latency", var messages, var program]:
        await Latency.RunAsync(Number(messages), program, Latency.LongPause, noDelay: false);
        return 0;
    case ["latency", var messages, var program, var pause]:
        await Latency.RunAsync(Number(messages), program, Number(pause), noDelay: false);
        return 0;
    case ["latency", var messages, var program, var pause, "nodelay"]:
        await Latency.RunAsync(Number(messages), program, Number(pause), noDelay: true);
        return 0;
    case ["memory", var seconds, var program]:
        await Memory.RunAsync(Number(seconds), program);
        return 0;
    case ["watched", var messages, var rounds, var series, var program]:
        await Watched.RunAsync(Number(messages), Number(rounds), Number(series), program);
        return 0;
    case ["page", var rounds, var series, var rate, var program]:
        await Page.RunAsync(Number(rounds), Number(series), Number(rate), program);
        return 0;
    default:
        await Console.Error.WriteLineAsync("latency MESSAGES PROGRAM [PAUSE [nodelay]] | memory SECONDS PROGRAM | watched MESSAGES ROUNDS SERIES PROGRAM | page ROUNDS SERIES RATE PROGRAM | bare PORT FIRST MESSAGES");
        return 2;
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
