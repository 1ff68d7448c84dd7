using System.Globalization;
using Meanwhile.Mqtt.Bench;

// Brokers side by side, each in a process of its own, in turns; clients are programs that send prepared bytes and count.
//   ingest SECONDS ROUNDS [PROGRAM]        readings at QoS 1 with their commit, beside mosquitto without a disk and a bare loop without a broker
//   latency SECONDS ROUNDS [PROGRAM]       1,000 publishers with one reading in flight each: the time to PUBACK, beside the disk's fdatasync, and beside answers without a broker
//   passthrough SECONDS ROUNDS [PROGRAM]   publisher to subscriber at QoS 0, 1 and 2, beside mosquitto and MQTTnet
//   fanout SECONDS ROUNDS [PROGRAM]        to 1,000 subscribers, beside mosquitto
//   idle SECONDS ROUNDS [PROGRAM]          10,000 idle connections
//   match                                  one topic against 1,000,000 filters
//   retained                               SUBSCRIBE with 1,000 filters against 100,000 retained messages
// PROGRAM is a built meanwhile; without it, the one that was built together with this.
switch (args)
{
    case ["ingest", var seconds, var rounds, .. var program]:
        await Ingest.RunAsync(Program(program), Seconds(seconds), Number(rounds));
        return 0;
    case ["passthrough", var seconds, var rounds, .. var program]:
        await PassThrough.RunAsync(Program(program), Seconds(seconds), Number(rounds));
        return 0;
    case ["latency", var seconds, var rounds, .. var program]:
        await Latency.RunAsync(Program(program), Seconds(seconds), Number(rounds));
        return 0;
    case ["fanout", var seconds, var rounds, .. var program]:
        await FanOut.RunAsync(Program(program), Seconds(seconds), Number(rounds));
        return 0;
    case ["idle", var seconds, var rounds, .. var program]:
        await Idle.RunAsync(Program(program), Seconds(seconds), Number(rounds));
        return 0;
    case ["match"]:
        Matching.Run();
        return 0;
    case ["retained"]:
        await Retained.RunAsync();
        return 0;
    case ["mqttnet", var port]:
        await MqttNetServer.RunAsync(Number(port));
        return 0;
    case ["answer", var port, var connections]:
        await AnsweringPeer.ServeAsync(Number(port), Number(connections));
        return 0;
    default:
        await Console.Error.WriteLineAsync("ingest|latency|passthrough|fanout|idle SECONDS ROUNDS [PROGRAM] | match | retained");
        return 2;
}

static string Program(string[] program) => program.Length > 0 ? program[0] : Path.Combine(AppContext.BaseDirectory, "meanwhile");

static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(Number(text));

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
