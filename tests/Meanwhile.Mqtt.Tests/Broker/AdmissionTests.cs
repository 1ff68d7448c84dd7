using System.Collections.Concurrent;
using System.Globalization;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What connections may hold before they are let in, and of packets that are not complete: whoever takes too much makes room, and a newcomer gets in.</summary>
public class AdmissionTests
{
    private const int Longest = 65_536; // Of CONNECT, with its header.

    // The largest packet is the least that packets which are not complete may take up: 331,072 bytes.
    private static readonly BrokerLimits Small = new() { PayloadSize = 200_000, Memory = 1 };

    private readonly ConcurrentQueue<Refusal> _refusals = [];

    [Theory]
    [InlineData("'MQTT' 05", "{}", "20 03 00 95 00")]
    [InlineData("'MQTT' 04", "", "")] // It has no words for it [MQTT-3.2.2-6].
    [InlineData("'MQIsdp' 03", "", "")]
    [Clause("MQTT-3.2.2-6 of 3.1.1")]
    public async Task A_connect_of_64_KiB_is_taken_and_a_longer_one_is_refused(string version, string noProperties, string refusal)
    {
        await using var broker = await StartAsync(new BrokerLimits());
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(Connect(Longest));
        Assert.Equal((0x20, 0), ((await client.ReadPacketAsync()) is [var type, _, _, var code, ..] ? (type, code) : default));

        await using var longer = await RawClient.OpenAsync(broker.EndPoints[0]);
        await longer.SendAsync(Connect(Longest + 1));
        await longer.ExpectAsync(refusal);
        await longer.ExpectEndAsync();
        Assert.Equal((RefusalKind.Connection, ReasonCode.PacketTooLarge, "CONNECT is longer than 65536 bytes"), Assert.Single(_refusals.Select(said => (said.Kind, said.Reason, said.Explanation))));

        byte[] Connect(int length)
        {
            var head = Bytes.Of($"{version} C6 | 00 00 | {noProperties} | 'c' | {noProperties} 'will'"); // A will, a user name and a password.
            byte[] tail = [.. Bytes.Of("'user'"), 0xC3, 0x50, .. new byte[50_000]]; // Any bytes.
            var payload = length - 4 - head.Length - 2 - tail.Length; // Three bytes say how long it is.
            byte[] body = [.. head, (byte)(payload >> 8), (byte)payload, .. new byte[payload], .. tail];
            return [0x10, (byte)(body.Length | 0x80), (byte)((body.Length >> 7) | 0x80), (byte)(body.Length >> 14), .. body];
        }
    }

    [Fact]
    public async Task A_connect_that_is_too_long_is_refused_at_its_beginning_however_that_arrives()
    {
        await using var broker = await StartAsync(new BrokerLimits());
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        foreach (var part in Bytes.Of("10 C0 84 3D 'MQTT' 05 | 02 | 00"))
            await client.SendAsync(new[] { part });
        await client.ExpectAsync("20 03 00 95 00");
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task Of_those_that_say_nothing_the_oldest_makes_room_for_a_newcomer()
    {
        await using var broker = await StartAsync(new BrokerLimits { Newcomers = 3 });
        await using var oldest = await RawClient.OpenAsync(broker.EndPoints[0]);
        await Until.TrueAsync(() => broker.Statistics.Connections == 1, () => $"{broker.Statistics}");
        await using var second = await RawClient.OpenAsync(broker.EndPoints[0]);
        await using var third = await RawClient.OpenAsync(broker.EndPoints[0]);
        await Until.TrueAsync(() => broker.Statistics.Connections == 3, () => $"{broker.Statistics}");
        await using var good = await RawClient.ConnectAsync(broker.EndPoints[0], "good");
        await oldest.ExpectEndAsync();
        await good.ExpectNothingAsync();
        foreach (var other in new[] { second, third })
        {
            await other.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | '' }");
            await other.ExpectAsync("20 02 00 00");
        }
        Assert.Equal(ReasonCode.ServerBusy, Assert.Single(_refusals).Reason);
    }

    [Fact]
    public async Task Who_has_not_said_who_it_is_makes_room_where_there_are_too_many_connections()
    {
        await using var broker = await StartAsync(new BrokerLimits { Connections = 2 });
        await using var first = await RawClient.ConnectAsync(broker.EndPoints[0], "1");
        await using var mute = await RawClient.OpenAsync(broker.EndPoints[0]);
        await Until.TrueAsync(() => broker.Statistics.Connections == 2, () => $"{broker.Statistics}");
        await using var second = await RawClient.ConnectAsync(broker.EndPoints[0], "2");
        await mute.ExpectEndAsync();
        await using var third = await RawClient.OpenAsync(broker.EndPoints[0]);
        await third.ExpectEndAsync(); // Clients make no room.
        await first.ExpectNothingAsync();
        await second.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_connects_hold_that_never_end_is_bounded_and_a_newcomer_gets_in()
    {
        await using var broker = await StartAsync(new BrokerLimits { NewcomerBytes = 1 << 20 });
        var flood = new List<RawClient>();
        for (var i = 0; i < 30; i++)
        {
            flood.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
            await flood[i].SendAsync(Then(Bytes.Of("10 F0 FF 03 'MQTT' 04 | 02 | 00 00 | FF FF"), 60_000));
        }
        await using var good = await RawClient.ConnectAsync(broker.EndPoints[0], "good");
        await flood[0].ExpectEndAsync();
        await Until.TrueAsync(() => broker.Statistics.Connections <= 9, () => $"{broker.Statistics}"); // Half of a MiB, and the good one.
        await good.ExpectNothingAsync();
        foreach (var client in flood)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task Whoever_waits_for_its_login_stays_when_others_come_that_say_nothing()
    {
        var login = new TaskCompletionSource<LoginAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isAsked = false;
        await using var broker = await StartAsync(new BrokerLimits { Newcomers = 3 }, (_, _) =>
        {
            Volatile.Write(ref isAsked, true);
            return new ValueTask<LoginAnswer>(login.Task);
        });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }");
        await Until.TrueAsync(() => Volatile.Read(ref isAsked), () => "its CONNECT has not been read");
        var flood = new List<RawClient>();
        for (var i = 0; i < 20; i++)
            flood.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
        await flood[0].ExpectEndAsync();
        login.SetResult(LoginAnswer.Accept(new Permissions(_ => true, _ => true)));
        await client.ExpectAsync("20 02 00 00");
        foreach (var mute in flood)
            await mute.DisposeAsync();
    }

    [Fact]
    public async Task What_those_hold_who_wait_for_their_login_is_bounded_by_what_it_takes_and_not_by_what_they_sent()
    {
        var given = 0;
        await using var broker = await StartAsync(new BrokerLimits { NewcomerBytes = 8 << 20 }, async (login, gone) =>
        {
            if (login.ClientId != "good")
            {
                using var waiting = gone.Register(() => Interlocked.Increment(ref given));
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, gone);
            }
            return LoginAnswer.Accept(new Permissions(_ => true, _ => true));
        });
        var fat = Bytes.Of($"10 {{ 'MQTT' 05 | 02 | 00 00 | {{ {string.Concat(Enumerable.Repeat("26 '' ''", 12_000))} }} | '' }}"); // 60 kB on the wire, and as much again once it is read.
        var flood = new List<RawClient>();
        for (var i = 0; i < 40; i++) // Of which 32 fit into half of the budget.
        {
            flood.Add(await RawClient.OpenAsync(broker.EndPoints[0]));
            await flood[i].SendAsync(fat);
        }
        await Until.TrueAsync(() => Volatile.Read(ref given) == 8, () => $"{given} have made room, not 8");
        await flood[0].ExpectEndAsync();
        await using var good = await RawClient.ConnectAsync(broker.EndPoints[0], "good");
        foreach (var client in flood)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task What_clients_have_sent_of_packets_that_are_not_complete_is_bounded_and_others_are_served()
    {
        await using var broker = await StartAsync(Small, time: new FakeTimeProvider());
        await using var bystander = await RawClient.ConnectAsync(broker.EndPoints[0], "bystander");
        var clients = new List<RawClient>();
        for (var i = 0; i < 3; i++) // Each 120,000 of 200,006 bytes; two fit in.
        {
            clients.Add(await RawClient.Connect5Async(broker.EndPoints[0], $"{i}"));
            await clients[i].SendAsync(Then(Bytes.Of("32 C6 9A 0C 'a' 00 01 00"), 120_000));
        }
        await Until.TrueAsync(() => !_refusals.IsEmpty, () => "nobody has made room");
        Assert.Equal(ReasonCode.ServerBusy, Assert.Single(_refusals).Reason);
        var gone = int.Parse(_refusals.Single().ClientId, CultureInfo.InvariantCulture);
        await clients[gone].ExpectAsync("E0 01 89");
        await clients[gone].ExpectEndAsync();
        clients.RemoveAt(gone);
        foreach (var client in clients)
        {
            await client.SendAsync(new byte[80_000]);
            await client.ExpectAsync("40 02 00 01");
        }
        await bystander.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_announced_takes_up_nothing()
    {
        await using var broker = await StartAsync(Small, time: new FakeTimeProvider());
        var clients = new List<RawClient>();
        for (var i = 0; i < 50; i++)
        {
            clients.Add(await RawClient.Connect5Async(broker.EndPoints[0], $"{i}"));
            await clients[i].SendAsync(Then(Bytes.Of("32 C6 9A 0C 'a' 00 01 00"), 4000));
        }
        foreach (var client in clients)
        {
            await client.SendAsync(new byte[196_000]);
            await client.ExpectAsync("40 02 00 01");
            await client.DisposeAsync();
        }
        Assert.Empty(_refusals);
    }

    [Fact]
    public async Task Of_packets_that_are_not_complete_those_go_first_of_which_nothing_has_come_for_longest()
    {
        var admission = new Admission(Small, _refusals.Enqueue);
        var said = new List<string>();
        var end = new TaskCompletionSource();
        var serving = new List<Task>();
        var (first, second, third) = (Enter("first"), Enter("second"), Enter("third"));
        first.Hold(120_000);
        second.Hold(130_000);
        first.Hold(150_000);
        third.Hold(60_000);
        Assert.Equal(["second: ServerBusy"], said);
        third.Hold(200_000);
        Assert.Equal(["second: ServerBusy", "first: ServerBusy"], said);
        third.Hold(0);
        first.Hold(200_000);
        Assert.Equal(2, said.Count);
        end.SetResult();
        await Task.WhenAll(serving);

        Visitor Enter(string name)
        {
            var context = new DefaultConnectionContext();
            Assert.True(admission.Enter(context));
            serving.Add(admission.ServeAsync(context, cost: 1, _ => end.Task));
            var visitor = context.Features.GetRequiredFeature<Visitor>();
            visitor.Close = (reason, _) => said.Add($"{name}: {reason}");
            visitor.Accept();
            return visitor;
        }
    }

    [Theory]
    [InlineData(0.5, 10_000)] // It is never quiet for a second.
    [InlineData(0, 100_000)] // Its time is never over.
    public async Task Whoever_was_refused_and_goes_on_sending_is_cut_off_in_the_end(double seconds, int bytes)
    {
        var time = new FakeTimeProvider();
        await using var broker = await StartAsync(new BrokerLimits(), time: time);
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 C0 84 3D 'MQTT' 05 | 02 | 00");
        await client.ExpectAsync("20 03 00 95 00");
        await client.ExpectEndAsync();
        await Until.TrueAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(seconds));
                try
                {
                    await client.SendAsync(new byte[bytes]);
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
                    return false;
                }
                catch (IOException)
                {
                    return true;
                }
            },
            () => "it may go on for ever");
    }

    [Theory]
    [InlineData("Max open files            20000                524288               files     ", 19_600)]
    [InlineData("Max open files            400                  400                  files     ", 200)]
    [InlineData("Max open files            unlimited            unlimited            files     ", int.MaxValue)]
    [InlineData("Max file size             1000                 1000                 bytes     ", int.MaxValue)]
    public void Connections_leave_some_of_the_open_files_to_others(string line, int connections) =>
        Assert.Equal(connections, OpenFiles.Connections(["Limit                     Soft Limit           Hard Limit           Units     ", line]));

    private static byte[] Then(byte[] start, int zeros) => [.. start, .. new byte[zeros]];

    private Task<MqttBroker> StartAsync(BrokerLimits limits, Func<Login, CancellationToken, ValueTask<LoginAnswer>>? authenticate = null, TimeProvider? time = null) =>
        TestBroker.StartAsync(options => options with { Limits = limits, Authenticate = authenticate, Refused = _refusals.Enqueue, Time = time ?? options.Time });
}
