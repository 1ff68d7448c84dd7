using System.Collections.Concurrent;
using System.Net.Security;
using Meanwhile.Mqtt.Broker;
using Meanwhile.Mqtt.Session;
using Meanwhile.Mqtt.Tests.Support;
using Meanwhile.Mqtt.Wire;
using Meanwhile.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Mqtt.Tests.Broker;

/// <summary>What a host has plugged in throws: it is said, and nothing that goes on by itself ends in silence.</summary>
public class FailureTests
{
#pragma warning disable CA2201, MA0012 // The runtime throws it, and what is tested is what becomes of that.
    private static readonly OutOfMemoryException NoMemory = new("none is left");

    private static bool RunOutOfMemory() => throw NoMemory;
#pragma warning restore CA2201, MA0012

    private readonly ConcurrentQueue<Refusal> _refusals = [];

    [Fact]
    public async Task Who_may_stay_throws_and_the_broker_ends_with_that()
    {
        var may = true;
        var time = new FakeTimeProvider();
        var broker = await StartAsync(new Permissions(_ => true, _ => true) { MayStay = () => may ? true : throw new InvalidOperationException("no list") }, time);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        may = false;
        await time.PassUntilAsync(() => broker.Completion.IsCompleted, () => "it goes on without keeping house");
        Assert.Equal("no list", (await Assert.ThrowsAsync<InvalidOperationException>(() => broker.Completion)).Message);
        await broker.DisposeAsync();
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task There_is_no_memory_for_housekeeping_and_the_broker_ends_with_that()
    {
        var time = new FakeTimeProvider();
        var broker = await StartAsync(new Permissions(_ => true, _ => true) { MayStay = RunOutOfMemory }, time);
        await using var client = await RawClient.ConnectAsync(broker.EndPoints[0], "c");
        await time.PassUntilAsync(() => broker.Completion.IsCompleted, () => "it goes on without keeping house");
        Assert.Equal("none is left", (await Assert.ThrowsAsync<OutOfMemoryException>(() => broker.Completion)).Message);
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task Who_is_told_of_refusals_throws_and_the_broker_ends_with_that_after_what_it_was_about()
    {
        var time = new FakeTimeProvider();
        var broker = await TestBroker.StartAsync(options => options with { Time = time, Refused = _ => throw new InvalidOperationException("no log") });
        await using var mute = await RawClient.ConnectAsync(broker.EndPoints[0], "mute");
        await using var wrong = await RawClient.Connect5Async(broker.EndPoints[0], "wrong");
        await wrong.SendAsync("F0 00 00");
        await wrong.ExpectAsync("E0 01 82");
        await wrong.ExpectEndAsync();
        Assert.Equal("no log", (await Assert.ThrowsAsync<InvalidOperationException>(() => broker.Completion)).Message);
        await mute.ExpectNothingAsync();
        await broker.DisposeAsync();
        await mute.ExpectEndAsync();
    }

    [Fact]
    public async Task The_clock_throws_and_the_broker_ends_with_that()
    {
        var time = new BreakingClock();
        var broker = await TestBroker.StartAsync(options => options with { Time = time });
        time.IsBroken = true;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("no clock", (await Assert.ThrowsAsync<InvalidOperationException>(() => broker.Completion.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken))).Message);
        time.IsBroken = false;
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task A_will_that_nobody_can_judge_ends_the_broker_and_its_connection_all_the_same()
    {
        var broker = await StartAsync(new Permissions(topic => topic == "ok" ? true : throw new InvalidOperationException("no list"), _ => true));
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync("10 { 'MQTT' 04 | 06 | 00 00 | 'c' | 'will' | 'gone' }"); // Judged at CONNECT as well.
        await client.ExpectEndAsync();
        await Until.TrueAsync(() => broker.Statistics.Connections == 0, () => $"{broker.Statistics}");
        Assert.Contains(_refusals, refusal => refusal is { Reason: ReasonCode.UnspecifiedError, ClientId: "c" } && refusal.Explanation.Contains("no list", StringComparison.Ordinal));
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task What_a_client_may_do_throws_and_its_connection_ends_and_no_other()
    {
        await using var broker = await StartAsync(new Permissions(topic => topic == "ok" ? true : throw new InvalidOperationException("no list"), _ => true));
        await using var bystander = await RawClient.ConnectAsync(broker.EndPoints[0], "b");
        await using var client = await RawClient.Connect5Async(broker.EndPoints[0], "c");
        await client.SendAsync("32 { 'ok' 00 01 {} } | 32 { 'other' 00 02 {} }");
        await client.ExpectAsync("40 02 00 01 | E0 01 80");
        await client.ExpectEndAsync();
        await bystander.ExpectNothingAsync();
        Assert.False(broker.Completion.IsCompleted);
        Assert.Equal(
            new Refusal(RefusalKind.Connection, "c", ReasonCode.UnspecifiedError, "an error of the broker's own, please report it (InvalidOperationException: no list)"), Assert.Single(_refusals));
    }

    [Fact]
    public async Task What_a_client_may_read_throws_and_nobody_gets_what_is_for_others()
    {
        var isBroken = true;
        await using var broker = await TestBroker.StartAsync(options => options with
        {
            Refused = _refusals.Enqueue,
            Authenticate = (login, _) => ValueTask.FromResult(LoginAnswer.Accept(new Permissions(_ => true, _ => true)
            {
                MayRead = topic => login.ClientId != "s" || !isBroken || topic != "a" ? true : throw new InvalidOperationException("no list"),
            })),
        });
        await using var subscriber = await RawClient.ConnectAsync(broker.EndPoints[0], "s");
        await subscriber.SendAsync("82 { 00 01 | 'a' 00 | '+' 00 }");
        await subscriber.ExpectAsync("90 04 00 01 00 00");
        await using (var publisher = await RawClient.ConnectAsync(broker.EndPoints[0], "p"))
        {
            await publisher.SendAsync("30 { 'a' \"1\" }");
            await publisher.ExpectEndAsync();
        }
        await using var other = await RawClient.ConnectAsync(broker.EndPoints[0], "o");
        await other.SendAsync("32 { 'b' 00 01 \"2\" }");
        await other.ExpectAsync("40 02 00 01");
        await subscriber.ExpectAsync("30 { 'b' \"2\" }");
        await subscriber.ExpectNothingAsync();
        Assert.Equal(("p", ReasonCode.UnspecifiedError), Assert.Single(_refusals.Select(refusal => (refusal.ClientId, refusal.Reason))));
    }

    [Theory]
    [InlineData("10 { 'MQTT' 05 | 02 | 00 00 | {} | 'c' }", "20 03 00 88 00")]
    [InlineData("10 { 'MQTT' 04 | 02 | 00 00 | 'c' }", "20 02 00 03")]
    public async Task A_login_that_cannot_be_checked_is_refused_for_now_and_said(string connect, string answer)
    {
        await using var broker = await TestBroker.StartAsync(options => options with { Refused = _refusals.Enqueue, Authenticate = (_, _) => throw new IOException("no users") });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await client.SendAsync(connect);
        await client.ExpectAsync(answer);
        await client.ExpectEndAsync();
        Assert.Equal(new Refusal(RefusalKind.Login, "c", ReasonCode.ServerUnavailable, "it could not be checked (IOException: no users)"), Assert.Single(_refusals));
    }

    [Fact]
    public async Task A_listener_without_terms_of_tls_says_so()
    {
        await using var broker = await TestBroker.StartAsync(options => options with
        {
            Refused = _refusals.Enqueue,
            Listeners = [TestBroker.Loopback with { Tls = () => throw new IOException("no certificate") }],
        });
        await using var client = await RawClient.OpenAsync(broker.EndPoints[0]);
        await using var stream = new SslStream(client.Stream);
        await Assert.ThrowsAnyAsync<Exception>(() => stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken));
        await Until.TrueAsync(() => !_refusals.IsEmpty, () => "nobody said it");
        Assert.Equal("there are no terms of TLS for it (IOException: no certificate)", Assert.Single(_refusals).Explanation);
    }

    [Fact]
    public void That_nobody_can_be_accepted_any_more_is_heard_of()
    {
        List<Exception> heard = [];
        using var log = new ListenerLog(heard.Add);
        foreach (var (level, reason) in new[] { (LogLevel.Error, new IOException("one connection")), (LogLevel.Critical, null), (LogLevel.Critical, new IOException("no memory")) })
            log.Log(level, default, "nobody is accepted any more", reason, (text, _) => text);
        Assert.Equal("nobody is accepted any more (IOException: no memory)", Assert.Single(heard).Message);
        Assert.Equal("no memory", heard[0].InnerException!.Message);
        log.Log(LogLevel.Critical, default, "", NoMemory, (_, _) => $"{RunOutOfMemory()}");
        Assert.Equal("none is left", heard[^1].Message);
    }

    private Task<MqttBroker> StartAsync(Permissions permissions, TimeProvider? time = null) => TestBroker.StartAsync(options => options with
    {
        Refused = _refusals.Enqueue,
        Authenticate = (_, _) => ValueTask.FromResult(LoginAnswer.Accept(permissions)),
        Time = time ?? options.Time,
    });

    private sealed class BreakingClock : FakeTimeProvider
    {
        public bool IsBroken { get; set; }

        public override long GetTimestamp() => IsBroken ? throw new InvalidOperationException("no clock") : base.GetTimestamp();
    }
}
