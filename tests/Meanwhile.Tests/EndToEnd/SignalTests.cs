using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Signals, whatever the program waits for.</summary>
public sealed class SignalTests : ProgramTest
{
    private readonly int _port = MosquittoServer.FreePort();

    [Theory]
    [InlineData("broker --listen 127.0.0.1:PORT --allow-anonymous")]
    [InlineData("aggregate --broker embedded://127.0.0.1:PORT --allow-anonymous")]
    public async Task A_hang_up_reads_users_and_access_list_again_at_once_and_ends_nothing(string command)
    {
        Write("users", "");
        Write("acl", "topic write #\n");
        var broker = Meanwhile([.. command.Replace("PORT", $"{_port}", StringComparison.Ordinal).Split(' '), "--users", "users", "--acl", "acl"]);
        await broker.SaysAsync("is listening");
        await broker.WaitAsync(
            () =>
            {
                HangUp(broker); // The first ones may come before it has begun to listen.
                return broker.Error.Contains("users: read again, and nothing in it has changed\n", StringComparison.Ordinal);
            },
            "it reads them again");
        await broker.SaysAsync("acl: read again, and nothing in it has changed\n");

        Write("acl", "topic wriet #\n");
        HangUp(broker);
        await broker.SaysAsync("acl: changed, but what was in force before stays in force: line 1 cannot be understood");
        Write("acl", "topic read #\n");
        HangUp(broker);
        await broker.SaysAsync("acl: changed, and in force from now on");
        using (var sender = await MqttSender.ConnectAsync(_port))
            await sender.SendAsync("a", "1");
        await broker.SaysAsync("has refused a message of 'send'");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Equal(1, broker.Error.Split("stopping").Length - 1);
    }

    [Fact]
    public async Task A_hang_up_where_nothing_can_be_read_again_is_said_and_ends_nothing()
    {
        var aggregate = Meanwhile(["aggregate", "--broker", $"127.0.0.1:{_port}"]);
        await aggregate.SaysAsync("is not there");
        HangUp(aggregate);
        await aggregate.SaysAsync("told to reload (SIGHUP), but there are no certificates, users or access list to be read again");
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}"]);
        await aggregate.SaysAsync("subscribed to DATA");
        await broker.WaitAsync(
            () =>
            {
                HangUp(broker);
                return broker.Error.Contains("told to reload (SIGHUP)", StringComparison.Ordinal);
            },
            "it says so");
        using (var sender = await MqttSender.ConnectAsync(_port))
            await sender.SendAsync("DATA", "1");
        await Until.TrueAsync(() => HasTable() && Rows() == 1, () => aggregate.Error);
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Theory]
    [InlineData("watch --broker 127.0.0.1:PORT", "is not there", "HUP")]
    [InlineData("watch --live --broker 127.0.0.1:PORT", "is not there", "HUP")]
    [InlineData("publish --broker 127.0.0.1:PORT", "is not there", "HUP")]
    [InlineData("demo --http 127.0.0.1:0", "subscribed to STATS", "HUP")]
    [InlineData("import", "", "HUP")]
    [InlineData("import", "", "TERM")]
    public async Task Other_verbs_end_in_good_order(string command, string said, string signal)
    {
        var program = Meanwhile(command.Replace("PORT", $"{_port}", StringComparison.Ordinal).Split(' '));
        await program.WaitAsync(() => Catches(program.Id) && program.Error.Contains(said, StringComparison.Ordinal), "it has begun");
        Assert.Equal(0, await program.SignalAsync(signal));
        Assert.Contains("stopping\n", program.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HUP")]
    [InlineData("TERM")]
    public async Task Who_is_asked_for_a_password_and_gives_none_changes_nothing(string signal)
    {
        var passwd = Meanwhile(["passwd", "users", "ada", "--verbose"]);
        await passwd.WaitAsync(() => Catches(passwd.Id), "it listens to signals");
        Assert.Equal(1, await passwd.SignalAsync(signal));
        Assert.Contains("no password was given: nothing is changed", passwd.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Folder["users"]));
    }

    [Theory]
    [InlineData("publish --broker 127.0.0.1:PORT")]
    [InlineData("aggregate --broker 127.0.0.1:PORT")]
    public async Task Nohup_is_heeded(string command)
    {
        var program = Peer("sh", "-c", $"trap '' HUP; exec {Path.Combine(AppContext.BaseDirectory, "meanwhile")} {command.Replace("PORT", $"{_port}", StringComparison.Ordinal)}");
        await program.SaysAsync("is not there");
        HangUp(program);
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}"]);
        await program.SaysAsync("connected to");
        Assert.DoesNotContain("stopping", program.Error, StringComparison.Ordinal);
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Theory]
    [InlineData("aggregate --broker embedded://127.0.0.1:0")]
    [InlineData("import")]
    [InlineData("query")]
    [InlineData("export")]
    [InlineData("quarantine list")]
    [InlineData("quarantine drop --all")]
    public async Task A_database_that_never_answers_keeps_nobody_from_the_end(string command)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var program = Meanwhile([.. command.Split(' '), "--db", $"postgres://me@{silent.LocalEndpoint}/db?connect_timeout=600"], ("PGPASSWORD", "secret"));
        using var connection = await silent.AcceptSocketAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await program.TerminateAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_publisher_of_verify_that_is_told_to_stop_does_not_wait_for_its_broker_for_ever(bool hasBegun)
    {
        using var broker = new TcpListener(IPAddress.Loopback, 0);
        broker.Start();
        var publisher = Meanwhile(["verify", "publisher", "--broker", $"{broker.LocalEndpoint}", "--topic", "DATA", "--qos", "1"]);
        using var connection = await broker.AcceptSocketAsync(TestContext.Current.CancellationToken);
        if (hasBegun)
        {
            await connection.SendAsync(new byte[] { 0x20, 2, 0, 0 });
            await publisher.WaitAsync(() => File.Exists(Folder["sent"]) && new FileInfo(Folder["sent"]).Length > 0, "it has sent something");
        }
        Assert.Equal(hasBegun ? 1 : 0, await publisher.TerminateAsync());
        if (hasBegun)
            Assert.Contains("has not acknowledged", publisher.Error, StringComparison.Ordinal);
    }

    private static void HangUp(RunningProgram program)
    {
        using var kill = Process.Start("kill", ["-HUP", $"{program.Id}"]);
        kill.WaitForExit();
    }

    // SIGHUP is bit 0, SIGTERM bit 14.
    private static bool Catches(int process) =>
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("SigCgt:", StringComparison.Ordinal)) is var line
        && (Convert.ToUInt64(line[7..].Trim(), 16) & 0x4001) == 0x4001;

    private void Write(string file, string text) => File.WriteAllText(Folder[file], text);
}
