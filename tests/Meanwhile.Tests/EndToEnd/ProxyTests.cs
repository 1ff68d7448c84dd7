using System.Net;
using System.Net.Sockets;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>The embedded broker behind a load balancer, haproxy: addresses are those of the clients.</summary>
public sealed class ProxyTests : ProgramTest
{
    private const string Proxy = "127.0.0.9"; // From where haproxy connects.
    private const string Here = "127.0.0.5"; // From where clients connect to it.

    private readonly int _port = MosquittoServer.FreePort();
    private readonly int _proxyPort = MosquittoServer.FreePort();

    [Theory]
    [InlineData("mqtt", "send-proxy")]
    [InlineData("mqtt", "send-proxy-v2")]
    [InlineData("mqtt", "send-proxy-v2 proxy-v2-options crc32c,ssl,cert-cn,unique-id")]
    [InlineData("mqtt", "send-proxy check check-send-proxy inter 100ms")]
    [InlineData("mqtt", "send-proxy-v2 check check-send-proxy inter 100ms")]
    [InlineData("mqtt", "send-proxy-v2 check inter 100ms")]
    [InlineData("mqtts", "send-proxy")]
    [InlineData("mqtts", "send-proxy-v2")]
    public async Task A_login_counts_for_the_address_of_its_client(string scheme, string options)
    {
        using var authority = new TestAuthority();
        authority.WriteTo(Folder["ca.crt"]);
        authority.Issue("localhost", Folder["server.crt"], Folder["server.key"]);
        var isSecure = scheme == "mqtts";
        string[] tls = isSecure ? ["--cafile", Folder["ca.crt"], "--insecure"] : [];
        await AddUserAsync();
        var broker = await BrokerAsync(scheme, isSecure ? ["--cert", "server.crt", "--key", "server.key"] : []);
        await HaproxyAsync(options);
        Assert.Equal(0, await PublishAsync("secret", tls));
        Assert.NotEqual(0, await PublishAsync("guess", tls));
        await broker.SaysAsync($"has not let 'c' in (BadUserNameOrPassword: user 'ada' from {Here})");
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Single(broker.Error.Split('\n'), line => line.Contains("warning", StringComparison.Ordinal)); // None of looking whether it is there.
    }

    [Fact]
    public async Task A_web_socket_counts_for_the_address_of_its_client()
    {
        await AddUserAsync();
        var broker = await BrokerAsync("ws");
        await HaproxyAsync("send-proxy-v2");
        await File.WriteAllTextAsync(Folder["password"], "guess", TestContext.Current.CancellationToken);
        var publish = Meanwhile(["publish", "--broker", $"ws://127.0.0.1:{_proxyPort}", "--username", "ada", "--password-file", "password", "--count", "1"]);
        Assert.Equal(1, await publish.ExitAsync());
        await broker.SaysAsync("BadUserNameOrPassword: user 'ada' from 127.0.0.1)");
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Fact]
    public async Task Who_is_named_has_to_send_a_header_and_who_is_not_may_not()
    {
        var broker = await BrokerAsync("mqtt", ["--connect-timeout", "500ms"]);
        await HaproxyAsync("");
        Assert.NotEqual(0, await Peer("mosquitto_pub", "-p", $"{_proxyPort}", "-t", "a", "-m", "x").ExitAsync());
        await broker.SaysAsync($"(ProtocolError: a PROXY header has to come first from this address, and this is none; from {Proxy})");
        Assert.Equal(0, await Peer("mosquitto_pub", "-p", $"{_port}", "-t", "a", "-m", "x").ExitAsync());
        using (var stranger = new TcpClient())
        {
            await stranger.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
            await stranger.GetStream().WriteAsync("PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            await broker.SaysAsync($"port {_port} is for mqtt://, and this is a PROXY header: expected it only from a proxy that --proxy-protocol names; from 127.0.0.1)");
        }
        using (var slow = new TcpClient(new IPEndPoint(IPAddress.Parse(Proxy), 0)))
        {
            await slow.ConnectAsync(IPAddress.Loopback, _port, TestContext.Current.CancellationToken);
            await broker.SaysAsync($"(KeepAliveTimeout: a PROXY header has not come within 0.5 seconds; from {Proxy})");
        }
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Matches(@"refused or closed [3-9] connections", broker.Error);
    }

    private async Task AddUserAsync()
    {
        var passwd = Meanwhile(["passwd", "users", "ada"]);
        await passwd.Input.WriteAsync("secret\n");
        passwd.Input.Close();
        Assert.Equal(0, await passwd.ExitAsync());
    }

    private async Task<RunningProgram> BrokerAsync(string scheme, params string[] arguments)
    {
        string[] users = File.Exists(Folder["users"]) ? ["--users", "users"] : [];
        var broker = Meanwhile(["broker", "--listen", $"{scheme}://127.0.0.1:{_port}", "--proxy-protocol", $"10.0.0.0/8, {Proxy},2001:db8::/32", .. users, .. arguments]);
        await broker.SaysAsync("is listening");
        return broker;
    }

    private async Task HaproxyAsync(string options)
    {
        await File.WriteAllTextAsync(
            Folder["haproxy.cfg"],
            $"""
            global
              maxconn 100
            defaults
              mode tcp
              timeout connect 10s
              timeout client 1m
              timeout server 1m
              unique-id-format %pid-%rt
            listen broker
              bind 127.0.0.1:{_proxyPort}
              server meanwhile 127.0.0.1:{_port} source {Proxy} {options}

            """,
            TestContext.Current.CancellationToken);
        var haproxy = Peer("haproxy", "-db", "-f", Folder["haproxy.cfg"]);
        await haproxy.WaitAsync(
            () =>
            {
                using var client = new TcpClient();
                try
                {
                    client.Connect(IPAddress.Loopback, _proxyPort);
                    return true;
                }
                catch (SocketException)
                {
                    return false;
                }
            },
            "it listens");
    }

    private Task<int> PublishAsync(string password, string[] tls) =>
        Peer("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{_proxyPort}", "-A", Here, "-u", "ada", "-P", password, "-i", "c", "-q", "1", "-t", "a", "-m", "x", .. tls]).ExitAsync();
}
