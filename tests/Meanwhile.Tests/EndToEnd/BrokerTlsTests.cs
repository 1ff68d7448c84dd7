using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The embedded broker behind TLS, with certificates of the test's own; the clients are mosquitto's, and ours.</summary>
public sealed class BrokerTlsTests : ProgramTest
{
    private readonly int _port = MosquittoServer.FreePort();
    private readonly int _plainPort = MosquittoServer.FreePort();

    public BrokerTlsTests()
    {
        using var root = new TestAuthority();
        root.WriteTo(Folder["root.crt"]);
        root.Issue("ada", Folder["ada.crt"], Folder["ada.key"]);
        using var between = new TestAuthority("between", root);
        between.Issue("localhost", Folder["server.crt"], Folder["server.key"], withAuthority: true);
    }

    [Theory]
    [InlineData("mqtts")]
    [InlineData("wss")]
    public async Task Our_own_client_trusts_it_by_the_root_alone(string scheme)
    {
        var broker = await BrokerAsync($"127.0.0.1:{_plainPort},{scheme}://127.0.0.1:{_port}");
        var publish = Meanwhile(["publish", "--count", "2", "--rate", "10"], ("BROKER", $"{scheme}://localhost:{_port}"), ("SSL_CERT_FILE", Folder["root.crt"]));
        Assert.Equal(0, await publish.ExitAsync());
        Assert.Equal(0, await Peer("mosquitto_pub", "-p", $"{_plainPort}", "-t", "a", "-m", "x").ExitAsync());
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task The_common_name_of_a_certificate_is_the_user_and_nobody_gets_in_without_one()
    {
        using var other = new TestAuthority("other");
        other.Issue("ada", Folder["eve.crt"], Folder["eve.key"]);
        await File.WriteAllTextAsync(Folder["acl"], "user ada\ntopic readwrite plant/#\n", TestContext.Current.CancellationToken);
        var broker = await BrokerAsync($"mqtts://127.0.0.1:{_port}", "--client-ca", "root.crt", "--acl", "acl");
        string[] subscription = ["--cert", "ada.crt", "--key", "ada.key", "-i", "sub", "-c", "-q", "1", "-t", "#"];
        Assert.Equal(0, await Client("mosquitto_sub", [.. subscription, "-E"]).ExitAsync());

        Assert.NotEqual(0, await Client("mosquitto_pub", "-t", "plant/1", "-m", "x").ExitAsync());
        await broker.SaysAsync("has not let '' in (NotAuthorized: certificate ''");
        Assert.NotEqual(0, await Client("mosquitto_pub", "--cert", "eve.crt", "--key", "eve.key", "-q", "1", "-t", "plant/2", "-m", "x").ExitAsync());
        foreach (var topic in new[] { "office/1", "plant/3" })
            Assert.Equal(0, await Client("mosquitto_pub", "--cert", "ada.crt", "--key", "ada.key", "-u", "admin", "-q", "1", "-t", topic, "-m", "x").ExitAsync());
        var subscriber = Client("mosquitto_sub", [.. subscription, "-C", "1", "-v"]);
        Assert.Equal(0, await subscriber.ExitAsync());
        Assert.Equal("plant/3 x\n", subscriber.Output);
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task Clients_with_and_without_a_certificate_get_no_session_of_each_other()
    {
        var broker = await BrokerAsync($"127.0.0.1:{_plainPort},mqtts://127.0.0.1:{_port}", "--client-ca", "root.crt");
        Assert.Equal(0, await WithoutAsync("plain"));
        Assert.Equal(0, await WithAsync("secure"));
        Assert.NotEqual(0, await WithAsync("plain"));
        Assert.NotEqual(0, await WithoutAsync("secure"));
        await broker.SaysAsync("its session belongs to a client without a name, not to user 'ada' from 127.0.0.1");
        Assert.Equal(0, await WithoutAsync("plain"));
        Assert.Equal(0, await WithAsync("secure"));
        Assert.Equal(0, await broker.TerminateAsync());

        Task<int> WithAsync(string clientId) => Client("mosquitto_sub", "--cert", "ada.crt", "--key", "ada.key", "-i", clientId, "-c", "-q", "1", "-t", "a", "-E").ExitAsync();
        Task<int> WithoutAsync(string clientId) => Peer("mosquitto_sub", "-p", $"{_plainPort}", "-i", clientId, "-c", "-q", "1", "-t", "a", "-E").ExitAsync();
    }

    [Fact]
    public async Task A_certificate_is_replaced_while_the_broker_runs_and_connections_stay()
    {
        using var next = new TestAuthority("next");
        next.WriteTo(Folder["next.crt"]);
        var broker = await BrokerAsync($"mqtts://127.0.0.1:{_port}");
        string[] subscription = ["-i", "sub", "-c", "-q", "1", "-t", "a"];
        Assert.Equal(0, await Client("mosquitto_sub", [.. subscription, "-E"]).ExitAsync());
        var subscriber = Client("mosquitto_sub", subscription);
        Assert.Equal(0, await Client("mosquitto_pub", "-t", "a", "-m", "old", "-q", "1").ExitAsync());
        await subscriber.WaitAsync(() => subscriber.Output == "old\n", "it is there");

        await File.WriteAllTextAsync(Folder["server.key"], "no key", TestContext.Current.CancellationToken);
        await broker.SaysAsync("server.crt, server.key: changed, but what was in force before stays in force");
        Assert.Equal(0, await Client("mosquitto_pub", "-t", "b", "-m", "x").ExitAsync());

        next.Issue("localhost", Folder["server.crt"], Folder["server.key"]);
        await Until.TrueAsync(
            async () => await Peer("mosquitto_pub", "-h", "localhost", "-p", $"{_port}", "--cafile", "next.crt", "-q", "1", "-t", "a", "-m", "new").ExitAsync() == 0,
            () => broker.Error);
        Assert.NotEqual(0, await Client("mosquitto_pub", "-t", "b", "-m", "x").ExitAsync());
        await subscriber.WaitAsync(() => subscriber.Output == "old\nnew\n", "who was there stays there");
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task On_an_address_that_others_reach_certificates_of_clients_are_enough()
    {
        var broker = await BrokerAsync("mqtts://0.0.0.0:0", "--client-ca", "root.crt");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.DoesNotContain("warning", broker.Error, StringComparison.Ordinal);
    }

    private async Task<RunningProgram> BrokerAsync(string listen, params string[] arguments)
    {
        var broker = Meanwhile(["broker", "--listen", listen, "--cert", "server.crt", "--key", "server.key", .. arguments]);
        await broker.WaitAsync(() => broker.Error.Split("is listening").Length > listen.Split(',').Length, "it listens");
        return broker;
    }

    private RunningProgram Client(string program, params string[] arguments) =>
        Peer(program, ["-h", "localhost", "-p", $"{_port}", "--cafile", "root.crt", .. arguments]);
}
