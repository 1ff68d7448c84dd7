using Meanwhile.Mqtt.Bench;

// dotnet run -c Release --project bench/Meanwhile.Mqtt.Bench [SECONDS] [ROUNDS]: brokers side by side, alternating, each in a process of its own.
// A broker that is up already is measured by its address: … SECONDS ROUNDS HOST:PORT PID.
if (args is ["serve", var kind])
{
    await BrokerProcess.ServeAsync(kind);
    return;
}
var seconds = args.Length > 0 ? int.Parse(args[0]) : 5;
var rounds = args.Length > 1 ? int.Parse(args[1]) : 3;
await SideBySide.RunAsync(TimeSpan.FromSeconds(seconds), rounds, args.Length > 3 ? BrokerProcess.Running(args[2], int.Parse(args[3])) : null);
