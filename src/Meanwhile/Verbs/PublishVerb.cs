using System.CommandLine;
using Meanwhile.Clients;
using Meanwhile.Settings;

namespace Meanwhile.Verbs;

/// <summary>The seed's publisher.</summary>
internal static class PublishVerb
{
    private static readonly Setting<string> ClientId = CommonSettings.ClientId("publisher");

    private static readonly Setting<int> Qos = new(
        "--qos", null, "1", "0|1|2", "quality of service", text => (int)CommonSettings.ParseWhole(text, 0, 2));

    private static readonly Setting<long?> Count = new(
        "--count", null, null, "NUMBER", "stop after so many, once all are acknowledged", text => CommonSettings.ParseWhole(text, 0, long.MaxValue));

    public static Command Command() => VerbContext.Command(
        "publish",
        "publish random whole numbers from 1 to 100 as readings",
        [
            CommonSettings.Broker.Option, CommonSettings.PublishTopic.Option, CommonSettings.Interval.Option, CommonSettings.Rate.Option, Count.Option,
            Qos.Option, CommonSettings.Seed.Option, CommonSettings.UserName.Option, CommonSettings.PasswordFile.Option, ClientId.Option,
        ],
        RunAsync);

    private static Task RunAsync(VerbContext context, CancellationToken stop)
    {
        var options = new PublisherOptions(
            context.Read(CommonSettings.PublishTopic)!,
            context.Read(Qos),
            CommonSettings.ReadPace(context.CommandLine, context.Sources),
            context.Read(Count),
            context.Read(CommonSettings.Seed));
        var broker = CommonSettings.ReadBroker(context.CommandLine, context.Sources, ClientId);
        return new Publisher(broker, options, context.Logger, context.Time).RunAsync(stop);
    }
}
