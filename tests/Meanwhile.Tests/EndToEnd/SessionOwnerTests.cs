using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Meanwhile.Access;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Sessions and wills belong to their users, by the files of the embedded broker, also after it was killed.</summary>
public sealed class SessionOwnerTests : ProgramTest
{
    private const string Accepted = "20020000";
    private const string AcceptedWithSession = "20020100";
    private const string Refused = "20020005";
    private const string BrokerFile = "tmp/broker.db";

    private readonly int _port = MosquittoServer.FreePort();

    [Fact]
    public async Task Another_user_gets_no_session_before_and_after_a_kill_and_an_operator_sees_whose_it_is_and_ends_it()
    {
        WriteUsers("ada", "bob");
        var broker = await BrokerAsync("--users", "users", "--allow-anonymous", "--sys-interval", "1s");
        using (var ada = await ConnectAsync("ada", "c", Accepted))
        {
            await SubscribeAsync(ada, "t");
            await ConnectAsync("bob", "c", Refused, clean: true);
            await ConnectAsync("", "c", Refused);
            await ada.SendAsync("C000");
            Assert.Equal("D000", await ada.ReceiveAsync());
        }
        await broker.SaysAsync("has not let 'c' in (NotAuthorized: its session belongs to user 'ada', not to user 'bob' from 127.0.0.1)");
        using (var anonymous = await ConnectAsync("", "d", Accepted))
            await ConnectAsync("bob", "d", Refused);
        await PublishAsync("bob", "t", "1");
        await broker.KillAsync();

        broker = await BrokerAsync("--users", "users", "--allow-anonymous");
        await ConnectAsync("bob", "c", Refused, clean: true);
        await ConnectAsync("bob", "d", Refused);
        Assert.Equal([("c", "ada"), ("d", "")], (await ListAsync()).Select(session => (session.GetProperty("client").GetString()!, session.GetProperty("user").GetString()!)));
        var table = await SessionsAsync("list");
        Assert.StartsWith("user       state", table, StringComparison.Ordinal);
        Assert.Matches("\nada        away .* c\n\\(no name\\)  .* d\n$", table);
        using (var ada = await ConnectAsync("ada", "c", AcceptedWithSession))
            Assert.Equal("3206000174000131", await ada.ReceiveAsync());
        await SessionsAsync("end", "c");
        await ConnectAsync("bob", "c", Accepted);
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Contains("2 sessions of another user", broker.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_of_the_time_without_users_belongs_to_the_first_that_comes_for_it()
    {
        var broker = await BrokerAsync();
        using (var client = await ConnectAsync("", "c", Accepted))
            await SubscribeAsync(client, "t");
        await PublishAsync("", "t", "1");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal(JsonValueKind.Null, Assert.Single(await ListAsync()).GetProperty("user").ValueKind);
        WriteUsers("ada", "bob");
        broker = await BrokerAsync("--users", "users");
        await PublishAsync("bob", "t", "2");
        using (var ada = await ConnectAsync("ada", "c", AcceptedWithSession))
        {
            Assert.Equal("3206000174000131", await ada.ReceiveAsync());
            Assert.Equal("3206000174000232", await ada.ReceiveAsync());
        }
        await ConnectAsync("bob", "c", Refused, clean: true);
        Assert.Equal(0, await broker.TerminateAsync());
        broker = await BrokerAsync(); // Without users nobody can show to be ada.
        await ConnectAsync("", "c", Refused, clean: true);
        await broker.SaysAsync("its session belongs to user 'ada', not to a client without a name from 127.0.0.1");
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Theory]
    [InlineData(true)] // By signal, while the broker runs, or between two runs.
    [InlineData(false)]
    public async Task A_will_of_who_may_not_write_there_any_more_or_was_deleted_is_dropped_and_told(bool isKilled)
    {
        WriteUsers("ada", "bob", "eve", "watcher");
        Write("acl", "user ada\ntopic write w/#\nuser bob\ntopic write w/#\nuser eve\ntopic write w/#\nuser watcher\ntopic read #\n");
        var broker = await BrokerAsync("--users", "users", "--acl", "acl");
        List<RawConnection> clients = [];
        foreach (var user in new[] { "ada", "bob", "eve" })
            clients.Add(await ConnectAsync(user, user, Accepted, willTopic: $"w/{user}"));
        if (isKilled)
            await broker.KillAsync();
        Write("acl", "user ada\ntopic write w/other\nuser bob\ntopic write w/#\nuser eve\ntopic write w/#\nuser watcher\ntopic read #\n");
        WriteUsers("ada", "bob", "watcher");
        if (isKilled)
            broker = await BrokerAsync("--users", "users", "--acl", "acl");
        else
            await broker.WaitAsync(() => broker.Error.Split("in force from now on").Length == 3, "the files were read again");
        foreach (var client in clients)
            client.Dispose();
        using var watcher = await ConnectAsync("watcher", "watcher", Accepted);
        await SubscribeAsync(watcher, "#");
        Assert.Equal(PublishOf("w/bob"), WithoutRetain(await watcher.ReceiveAsync()));
        await broker.SaysAsync("has refused a message of '");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal("", await watcher.ReceiveAsync());
        Assert.Contains("refused 2 messages", broker.Error, StringComparison.Ordinal);
        Assert.Equal("0", ReadingsFile.Query(Folder[BrokerFile], "SELECT COUNT(*) FROM wills")[0]);
    }

    [Fact]
    public async Task The_client_that_announces_sensors_is_not_kept_out_by_who_comes_with_its_name()
    {
        WriteUsers("ada");
        Write("acl", "user ada\ntopic readwrite #\n");
        var aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{_port}", "--users", "users", "--acl", "acl", "--home-assistant"]);
        await aggregate.SaysAsync("read back");
        using var stranger = await ConnectAsync("ada", "subscriber-homeassistant", Accepted);
        await SubscribeAsync(stranger, "homeassistant/sensor/meanwhile_subscriber/availability");
        Assert.Equal(PublishOf("homeassistant/sensor/meanwhile_subscriber/availability", "online"), WithoutRetain(await stranger.ReceiveAsync()));
        await aggregate.KillAsync();
        Write("acl", "user ada\ntopic read #\n");
        aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{_port}", "--users", "users", "--acl", "acl"]); // Nobody says that it is here again.
        await aggregate.SaysAsync("read back");
        using var reader = await ConnectAsync("ada", "reader", Accepted);
        await SubscribeAsync(reader, "homeassistant/sensor/meanwhile_subscriber/availability");
        Assert.Equal(PublishOf("homeassistant/sensor/meanwhile_subscriber/availability", "offline"), WithoutRetain(await reader.ReceiveAsync()));
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    private static string PublishOf(string topic, string payload = "gone") =>
        Convert.ToHexString([0x30, (byte)(2 + topic.Length + payload.Length), 0, (byte)topic.Length, .. Encoding.UTF8.GetBytes(topic), .. Encoding.UTF8.GetBytes(payload)]);

    // Whether it is set depends on who came first, the subscription or the message.
    private static string WithoutRetain(string packet) => packet.StartsWith("31", StringComparison.Ordinal) ? $"30{packet[2..]}" : packet;

    private static byte[] Text(string text) => [0, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    private static async Task SubscribeAsync(RawConnection client, string filter)
    {
        await client.SendAsync([0x82, (byte)(5 + filter.Length), 0, 1, .. Text(filter), (byte)(filter == "t" ? 1 : 0)]);
        Assert.StartsWith("90030001", await client.ReceiveAsync(), StringComparison.Ordinal);
    }

    // In 3.1.1; the passwords of users are their names.
    private async Task<RawConnection> ConnectAsync(string user, string clientId, string answer, bool clean = false, string? willTopic = null)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
        var connection = new RawConnection(client);
        var flags = (user.Length > 0 ? 0xC0 : 0) | (clean ? 2 : 0) | (willTopic is null ? 0 : 0x24);
        byte[] rest = [.. Text("MQTT"), 4, (byte)flags, 0, 0, .. Text(clientId), .. willTopic is null ? [] : (byte[])[.. Text(willTopic), .. Text("gone")], .. user.Length > 0 ? (byte[])[.. Text(user), .. Text(user)] : []];
        await connection.SendAsync([0x10, (byte)rest.Length, .. rest]);
        Assert.Equal(answer, await connection.ReceiveAsync());
        if (answer == Refused)
            connection.Dispose();
        return connection;
    }

    private async Task PublishAsync(string user, string topic, string payload)
    {
        using var client = await ConnectAsync(user, "publisher", Accepted, clean: true);
        await client.SendAsync(RawPackets.Publish(1, 1, dup: false, is5: false, topic, Encoding.UTF8.GetBytes(payload)));
        Assert.Equal("40020001", await client.ReceiveAsync());
        await client.SendAsync("E000");
        Assert.Equal("", await client.ReceiveAsync());
    }

    private async Task<List<JsonElement>> ListAsync() =>
        [.. (await SessionsAsync("list", "--format", "json")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)).OrderBy(session => session.GetProperty("client").GetString())];

    private async Task<string> SessionsAsync(params string[] arguments)
    {
        var program = Meanwhile(["broker", "sessions", .. arguments]);
        Assert.True(await program.ExitAsync() == 0, program.Error);
        return program.Output;
    }

    private async Task<RunningProgram> BrokerAsync(params string[] arguments)
    {
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}", .. arguments]);
        await broker.SaysAsync("is listening");
        return broker;
    }

    private void WriteUsers(params string[] users) => Write("users", string.Concat(users.Select(user => $"{user}:{PasswordHash.Of(Encoding.UTF8.GetBytes(user), iterations: 1000)}\n")));

    private void Write(string name, string text) => File.WriteAllText(Folder[name], text);
}
