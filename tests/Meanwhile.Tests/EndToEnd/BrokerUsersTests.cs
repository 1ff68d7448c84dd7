using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Who may connect to the embedded broker and what they may do there, by its own files; the clients are mosquitto's.</summary>
public sealed class BrokerUsersTests : ProgramTest
{
    private readonly int _port = MosquittoServer.FreePort();

    [Fact]
    public async Task Users_come_and_go_and_their_passwords_change_while_the_broker_runs()
    {
        await PasswdAsync("ada", "first", "added");
        var broker = await BrokerAsync("--users", "users");
        Assert.Equal(0, await PublishAsync("ada", "first", "a"));
        Assert.NotEqual(0, await PublishAsync("ada", "guess", "a"));
        Assert.NotEqual(0, await PublishAsync("eve", "first", "a"));
        Assert.NotEqual(0, await Peer("mosquitto_pub", "-p", $"{_port}", "-t", "a", "-m", "x").ExitAsync());
        await broker.SaysAsync("has not let 'c' in (BadUserNameOrPassword: user 'ada' from 127.0.0.1)");
        await broker.SaysAsync("(NotAuthorized: no user name, from 127.0.0.1)");

        string[] here = ["-p", $"{_port}", "-u", "ada", "-P", "first", "-i", "here", "-c", "-q", "1", "-t", "a"];
        Assert.Equal(0, await Peer("mosquitto_sub", [.. here, "-E"]).ExitAsync());
        var subscriber = Peer("mosquitto_sub", here);
        Assert.Equal(0, await PublishAsync("ada", "first", "a"));
        await subscriber.WaitAsync(() => subscriber.Output == "x\n", "it is there");
        await PasswdAsync("ada", "second", "has a new password");
        await broker.SaysAsync("users: changed, and in force from now on");
        Assert.Equal(0, await PublishAsync("ada", "second", "a"));
        Assert.NotEqual(0, await PublishAsync("ada", "first", "a"));
        await broker.SaysAsync("closed the connection of 'here' (NotAuthorized: it may not stay any longer)");

        Assert.Equal(0, await Meanwhile(["passwd", "users", "ada", "--delete"]).ExitAsync());
        await broker.WaitAsync(() => broker.Error.Split("in force from now on").Length == 3, "the file was read again");
        Assert.NotEqual(0, await PublishAsync("ada", "second", "a"));
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Contains("logins", broker.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", broker.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_access_list_is_read_again_and_what_cannot_be_understood_leaves_the_old_in_force()
    {
        await PasswdAsync("ada", "secret", "added");
        Write("acl", "user ada\ntopic write plant/#\n");
        var broker = await BrokerAsync("--users", "users", "--acl", "acl");
        Assert.False(await MayWriteAsync("office/t"));
        Assert.True(await MayWriteAsync("plant/t"));

        Write("acl", "user ada\ntopic write office/#\n");
        await Until.TrueAsync(() => MayWriteAsync("office/t"), () => broker.Error);
        Assert.False(await MayWriteAsync("plant/t"));

        Write("acl", "user ada\ntopic wriet plant/#\n");
        await broker.SaysAsync("acl: changed, but what was in force before stays in force: line 2 cannot be understood: expected 'user NAME'");
        Assert.True(await MayWriteAsync("office/t"));
        Assert.Equal(0, await broker.TerminateAsync());

        async Task<bool> MayWriteAsync(string topic)
        {
            var publish = Peer("mosquitto_pub", "-p", $"{_port}", "-u", "ada", "-P", "secret", "-V", "5", "-q", "1", "-t", topic, "-m", "x");
            Assert.Equal(0, await publish.ExitAsync());
            return !publish.Error.Contains("Not authorized", StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_broker_says_how_it_is_to_those_who_may_read_it()
    {
        Write("acl", "topic read $SYS/broker/clients/+\ntopic readwrite a\npattern readwrite devices/%c/#\n");
        var broker = await BrokerAsync("--acl", "acl", "--sys-interval", "1s");
        var subscriber = Peer("mosquitto_sub", "-p", $"{_port}", "-t", "$SYS/#", "-t", "#", "-v", "-i", "mine");
        await subscriber.WaitAsync(() => subscriber.Output.Contains("$SYS/broker/clients/connected 1\n", StringComparison.Ordinal), "it is counted");
        foreach (var topic in new[] { "devices/yours/t", "devices/mine/t", "a" })
            Assert.Equal(0, await Peer("mosquitto_pub", "-p", $"{_port}", "-q", "1", "-i", "mine2", "-t", topic, "-m", "x").ExitAsync());
        await subscriber.WaitAsync(() => subscriber.Output.Contains("a x\n", StringComparison.Ordinal), "what may be read and written arrives");
        Assert.DoesNotContain("uptime", subscriber.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("devices", subscriber.Output, StringComparison.Ordinal);
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task What_may_not_be_written_is_never_stored()
    {
        await PasswdAsync("sensor", "secret", "added");
        await PasswdAsync("eve", "other", "added");
        Write("acl", "user sensor\ntopic write DATA\n");
        var aggregate = Meanwhile(["aggregate", "--broker", $"embedded://127.0.0.1:{_port}", "--users", "users", "--acl", "acl"]);
        await aggregate.SaysAsync("read back");
        foreach (var (user, password) in new[] { ("eve", "other"), ("sensor", "secret") })
        {
            for (var qos = 0; qos <= 2; qos++)
                Assert.Equal(0, await Peer("mosquitto_pub", "-p", $"{_port}", "-u", user, "-P", password, "-q", $"{qos}", "-t", "DATA", "-m", $"{qos}").ExitAsync());
        }
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Equal(3, Rows());
        Assert.Contains("refused 3 messages", aggregate.Error, StringComparison.Ordinal);
        Assert.Contains("received 3 = committed 3", aggregate.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ada:secret", "", "users: line 1 is no user: expected NAME:HASH as meanwhile passwd writes it", "--users", "users")]
    [InlineData("", "topic raed a", "acl: line 1 cannot be understood", "--acl", "acl")]
    [InlineData("", "", "missing: cannot be read", "--users", "missing")]
    [InlineData("", "", "0.0.0.0:0: whoever reaches this address", "--listen", "0.0.0.0:0")]
    [InlineData("", "", "whoever reaches this address", "--listen", "mqtt://127.0.0.1:0,ws://0.0.0.0:0")]
    [InlineData("", "", "--listen: 'http://127.0.0.1:1' cannot be understood: expected ADDRESS:PORT", "--listen", "http://127.0.0.1:1")]
    [InlineData("", "", "mqtts://127.0.0.1:0: TLS needs a certificate: expected --cert FILE", "--listen", "mqtts://127.0.0.1:0")]
    [InlineData("", "", "nothing listens with TLS", "--cert", "x")]
    [InlineData("x", "", "expected certificates in PEM", "--listen", "mqtts://127.0.0.1:0", "--cert", "users")]
    [InlineData("", "", "--proxy-protocol: 'haproxy.example' cannot be understood: expected addresses or networks such as 10.0.0.0/8", "--proxy-protocol", "haproxy.example")]
    [InlineData("", "", "--sys-interval: '1ms' cannot be understood", "--sys-interval", "1ms")]
    public async Task A_setting_that_cannot_be_is_one_clear_line(string users, string acl, string problem, params string[] arguments)
    {
        Write("users", users);
        Write("acl", acl);
        var broker = Meanwhile(["broker", .. arguments]);
        Assert.Equal(2, await broker.ExitAsync());
        Assert.Contains(problem, broker.Error, StringComparison.Ordinal);
        Assert.Single(broker.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Its_settings_are_of_no_use_where_the_broker_is_elsewhere()
    {
        var aggregate = Meanwhile(["aggregate", "--broker", "localhost", "--users", "users"]);
        Assert.Equal(2, await aggregate.ExitAsync());
        Assert.Contains("--users is about the embedded broker", aggregate.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "secret", 2, "USER: '' cannot be a user's name")]
    [InlineData("a:b", "secret", 2, "expected a text without colons")]
    [InlineData("ada", "", 2, "the password is empty")]
    [InlineData("ada", "secret", 2, "users: line 1 is no user", "broken")]
    [InlineData("ada", "secret", 1, "there is no user 'ada' that could be deleted", "", "--delete")]
    public async Task A_user_that_cannot_be_is_one_clear_line(string user, string password, int exitCode, string problem, string text = "", params string[] options)
    {
        Write("users", text);
        var passwd = Meanwhile(["passwd", "users", user, .. options]);
        await passwd.Input.WriteAsync(password + "\n");
        passwd.Input.Close();
        Assert.Equal(exitCode, await passwd.ExitAsync());
        Assert.Contains(problem, passwd.Error, StringComparison.Ordinal);
        Assert.Equal(text, await File.ReadAllTextAsync(Folder["users"], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_file_of_users_is_for_its_owner_and_stays_behind_its_link()
    {
        await PasswdAsync("ada", "first", "added");
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Folder["users"]));
        Directory.CreateDirectory(Folder["other"]);
        File.Move(Folder["users"], Folder["other/users"]);
        File.CreateSymbolicLink(Folder["users"], "other/users");
        await PasswdAsync("bob", "first", "added");
        Assert.NotNull(File.ResolveLinkTarget(Folder["users"], returnFinalTarget: false));
        Assert.Equal(["ada", "bob"], File.ReadLines(Folder["other/users"]).Select(line => line.Split(':')[0]));
    }

    private async Task PasswdAsync(string user, string password, string said)
    {
        var passwd = Meanwhile(["passwd", "users", user]);
        await passwd.Input.WriteAsync(password + "\n");
        passwd.Input.Close();
        Assert.Equal(0, await passwd.ExitAsync());
        await passwd.SaysAsync(said);
    }

    private async Task<RunningProgram> BrokerAsync(params string[] arguments)
    {
        var broker = Meanwhile(["broker", "--listen", $"127.0.0.1:{_port}", .. arguments]);
        await broker.SaysAsync("is listening");
        return broker;
    }

    private Task<int> PublishAsync(string user, string password, string topic) =>
        Peer("mosquitto_pub", "-p", $"{_port}", "-i", "c", "-u", user, "-P", password, "-q", "1", "-t", topic, "-m", "x").ExitAsync();

    private void Write(string name, string text) => File.WriteAllText(Folder[name], text);
}
