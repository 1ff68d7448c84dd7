using System.CommandLine;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Settings;

namespace Meanwhile.Tests.Settings;

public class BrokerLimitSettingsTests
{
    [Fact]
    public void Each_limit_has_the_default_of_the_library_and_an_option()
    {
        var standard = new BrokerLimits();
        Assert.Equal(standard with { SessionExpiry = TimeSpan.FromDays(7) }, Read());

        var limits = Read(
            "--max-connections", "1", "--max-sessions", "2", "--session-expiry", "3s", "--connect-timeout", "4s", "--max-keep-alive", "5s", "--max-packet", "600",
            "--max-topic-levels", "7", "--max-subscriptions", "8", "--max-inflight", "9", "--max-queued", "10", "--max-queued-bytes", "11", "--max-retained", "12", "--max-memory", "13", "--strict-receive-maximum");
        Assert.Equal((1, 2, 3.0, 4.0, 5.0), (limits.Connections, limits.Sessions, limits.SessionExpiry.TotalSeconds, limits.ConnectTimeout.TotalSeconds, limits.KeepAlive.TotalSeconds));
        Assert.True(limits.IsReceiveMaximumStrict);
        Assert.Equal((600, 7, 8, 9), (limits.PayloadSize, limits.TopicLevels, limits.SubscriptionsPerClient, limits.ReceiveMaximum));
        Assert.Equal((10, 11L, 12, 13L), (limits.QueuedMessages, limits.QueuedBytes, limits.RetainedMessages, limits.Memory));
    }

    [Theory]
    [InlineData("--max-inflight", "65536")]
    [InlineData("--max-keep-alive", "19h")]
    [InlineData("--max-packet", "5")]
    public void What_the_protocol_has_no_room_for_is_refused(string option, string value) =>
        Assert.Equal(2, Assert.Throws<UserException>(() => Read(option, value)).ExitCode);

    private static BrokerLimits Read(params string[] arguments)
    {
        var command = new RootCommand();
        foreach (var option in BrokerLimitSettings.Options)
            command.Options.Add(option);
        return BrokerLimitSettings.Read(command.Parse(arguments), SettingSources.Load(AppContext.BaseDirectory, _ => null));
    }
}
