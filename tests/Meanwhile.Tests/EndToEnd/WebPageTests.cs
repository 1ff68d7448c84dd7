using System.Net;
using System.Net.WebSockets;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>Web pages that connect to the embedded broker by the browser of somebody who can reach it.</summary>
public sealed class WebPageTests : ProgramTest
{
    private readonly int _port = MosquittoServer.FreePort();

    [Fact]
    public async Task A_strangers_page_is_refused_said_and_counted_and_a_named_one_gets_in()
    {
        var broker = await BrokerAsync("--ws-origin", "https://good.example, http://other.example:8080");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync($"127.0.0.1:{_port}", "http://evil.example"));
        await broker.SaysAsync("warning: the embedded broker has refused or closed a connection (NotAuthorized: web pages of other hosts may not connect: expected a page of the same host, or its origin in --ws-origin; from 127.0.0.1, a page of http://evil.example)");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("evil.example", "http://evil.example"));
        await broker.SaysAsync("(NotAuthorized: the host of the request is not this machine: expected localhost or a loopback address");
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("evil.example", "http://other-evil.example"));
        foreach (var origin in new[] { null, $"http://127.0.0.1:{_port}", "http://localhost:3000", "https://good.example", "http://other.example:8080" })
            Assert.Equal(HttpStatusCode.SwitchingProtocols, await StatusAsync($"127.0.0.1:{_port}", origin));
        Assert.Equal(0, await broker.TerminateAsync());
        Assert.Contains("refused or closed 3 connections", broker.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("other-evil", broker.Error, StringComparison.Ordinal); // The line about hosts was said already.
    }

    [Theory]
    [InlineData(HttpStatusCode.SwitchingProtocols)]
    [InlineData(HttpStatusCode.Forbidden, "--allow-anonymous")]
    public async Task Any_host_will_do_where_there_are_users_and_nobody_else(HttpStatusCode status, params string[] arguments)
    {
        await File.WriteAllTextAsync(Folder["users"], "", TestContext.Current.CancellationToken);
        var broker = await BrokerAsync(["--users", "users", .. arguments]);
        Assert.Equal(status, await StatusAsync("broker.example", "https://broker.example"));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("broker.example", "https://evil.example"));
        Assert.Equal(0, await broker.TerminateAsync());
    }

    [Theory]
    [InlineData("--ws-origin: 'null' cannot be understood: expected scheme and host", "--listen", "ws://127.0.0.1:0", "--ws-origin", "null")]
    [InlineData("--ws-origin: 'https://good.example,' cannot be understood", "--listen", "ws://127.0.0.1:0", "--ws-origin", "https://good.example,")]
    [InlineData("--ws-origin is about web pages, and nothing listens for WebSocket", "--listen", "127.0.0.1:0", "--ws-origin", "https://good.example")]
    public async Task A_setting_that_cannot_be_is_one_clear_line(string problem, params string[] arguments)
    {
        var broker = Meanwhile(["broker", .. arguments]);
        Assert.Equal(2, await broker.ExitAsync());
        Assert.Contains(problem, Assert.Single(broker.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    private async Task<RunningProgram> BrokerAsync(params string[] arguments)
    {
        var broker = Meanwhile(["broker", "--listen", $"ws://127.0.0.1:{_port}", .. arguments]);
        await broker.SaysAsync("is listening");
        return broker;
    }

    private async Task<HttpStatusCode> StatusAsync(string host, string? origin)
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.AddSubProtocol("mqtt");
        socket.Options.SetRequestHeader("Host", host);
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin);
        try
        {
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_port}/mqtt"), TestContext.Current.CancellationToken);
        }
        catch (WebSocketException)
        {
            Assert.NotEqual(HttpStatusCode.SwitchingProtocols, socket.HttpStatusCode);
        }
        return socket.HttpStatusCode;
    }
}
