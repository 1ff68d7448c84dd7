using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>TLS, WebSocket, user names and passwords, against a real mosquitto.</summary>
public sealed class SecurityTests : MosquittoTest
{
    [Theory]
    [InlineData("ws", false)]
    [InlineData("mqtts", true)]
    [InlineData("wss", true)]
    public async Task Readings_flow_over_other_transports(string scheme, bool isSecure)
    {
        var authority = isSecure ? MakeCertificates() : "";
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path, Listener(scheme, isSecure));
        var broker = $"{scheme}://localhost:{mosquitto.Port}";
        var aggregate = Trusting(authority, broker, "aggregate");
        var watch = Trusting(authority, broker, "watch");
        foreach (var program in new[] { aggregate, watch })
            await program.SaysAsync("subscribed to");
        var publish = Trusting(authority, broker, "publish", "--count", "3", "--rate", "100");
        Assert.Equal(0, await publish.ExitAsync());
        await watch.WaitAsync(() => watch.Output.Contains("avg_1min", StringComparison.Ordinal), "a table is there");
        await Until.TrueAsync(() => Rows() == 3, () => aggregate.Error);
        foreach (var program in new[] { aggregate, watch })
            Assert.Equal(0, await program.TerminateAsync());
    }

    [Theory]
    [InlineData("aggregate")]
    [InlineData("watch")]
    [InlineData("publish")]
    public async Task A_certificate_that_is_not_trusted_is_one_clear_line(string verb)
    {
        MakeCertificates();
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path, Listener("mqtts", isSecure: true));
        var program = Run($"mqtts://localhost:{mosquitto.Port}", verb);

        Assert.Equal(1, await program.ExitAsync());
        Assert.Contains("its certificate is not trusted", program.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", program.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aggregate")]
    [InlineData("watch")]
    [InlineData("publish")]
    public async Task A_user_name_and_a_password_from_a_file_are_used_and_wrong_ones_are_one_clear_line(string verb)
    {
        var users = Folder["users"];
        Assert.Equal(0, await Peer("mosquitto_passwd", "-b", "-c", users, "ada", "secret").ExitAsync());
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path, $"allow_anonymous false\npassword_file {users}");
        await File.WriteAllTextAsync(Folder["right"], "secret\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Folder["wrong"], "guess\n", TestContext.Current.CancellationToken);

        var right = Run(mosquitto.Address, verb, "--username", "ada", "--password-file", "right");
        await right.SaysAsync("connected to");
        Assert.Equal(0, await right.TerminateAsync());
        var wrong = Run(mosquitto.Address, verb, "--username", "ada", "--password-file", "wrong");
        Assert.Equal(1, await wrong.ExitAsync());
        Assert.Contains("refuses the client", wrong.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", wrong.Error, StringComparison.Ordinal);
    }

    private string Listener(string scheme, bool isSecure) =>
        $"listener {MosquittoServer.FreePort()} 127.0.0.1\n" // mosquitto 2.0.11 does not start with a WebSocket listener alone.
        + "listener PORT 127.0.0.1\n"
        + (scheme is "ws" or "wss" ? "protocol websockets\n" : "")
        + (isSecure ? $"certfile {Folder["server.crt"]}\nkeyfile {Folder["server.key"]}\n" : "");

    private RunningProgram Trusting(string authority, string broker, params string[] arguments) =>
        Meanwhile(arguments, ("BROKER", broker), (authority.Length == 0 ? "UNUSED" : "SSL_CERT_FILE", authority));

    // The authority's path is returned.
    private string MakeCertificates()
    {
        using var authority = new TestAuthority();
        authority.WriteTo(Folder["authority.crt"]);
        authority.Issue("localhost", Folder["server.crt"], Folder["server.key"]);
        return Folder["authority.crt"];
    }
}
