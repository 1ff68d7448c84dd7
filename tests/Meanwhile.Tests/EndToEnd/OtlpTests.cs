using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What the program sends by OTLP, as a collector of bytes sees it.</summary>
public sealed class OtlpTests : HttpTest
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    [Theory]
    [InlineData(false, "/v1/metrics", "/v1/traces", "application/x-protobuf")]
    [InlineData(true, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "application/grpc")]
    public async Task Metrics_and_a_span_for_each_batch_are_sent_without_http(bool isGrpc, string metricsPath, string tracesPath, string contentType)
    {
        await using var receiver = await OtlpReceiver.StartAsync(isGrpc);
        await File.WriteAllTextAsync(Folder[".env"], $"{Endpoint}={receiver.Address}\nOTEL_EXPORTER_OTLP_HEADERS=x-key=a%20b\n", TestContext.Current.CancellationToken);
        var program = await AggregateAsync(
            ("OTEL_EXPORTER_OTLP_PROTOCOL", isGrpc ? "" : "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
            ("OTEL_SERVICE_NAME", "plant"), ("OTEL_RESOURCE_ATTRIBUTES", "site=a"));
        using (var sender = await MqttSender.ConnectAsync(MqttPortOf(program)))
        {
            foreach (var payload in new[] { "1", "2", "6", "no number" })
                await sender.SendAsync("DATA", payload);
        }
        // One collection may fall between two steps of a batch.
        await Until.TrueAsync(() => Counts() == (4, 3, 1, 4, 3, 3, 3), () => $"{Counts()}; {program.Error}");
        Assert.Equal((1.0, "s"), (Last(receiver, "meanwhile.ready"), receiver.Points.First(point => point.Metric == "meanwhile.commit.duration").Unit));
        Assert.True(Last(receiver, "meanwhile.commit.duration") >= 4);
        Assert.Equal(0, await program.TerminateAsync());

        var batches = receiver.Spans.Where(span => span.Name == "batch").ToList();
        Assert.All(batches, batch => Assert.True(Tag(batch, "meanwhile.deliveries") > 0)); // Changes of sessions among them.
        Assert.Equal((3, 1), (batches.Sum(batch => Tag(batch, "meanwhile.readings")), batches.Sum(batch => Tag(batch, "meanwhile.quarantined"))));
        foreach (var batch in batches)
        {
            Assert.Equal("", batch.Parent);
            Assert.Equal(["commit", "acknowledge", "windows", "publish"], receiver.Spans.Where(span => span.Parent == batch.Id && span.Trace == batch.Trace).Select(span => span.Name));
        }
        Assert.Equal(batches.Count * 5, receiver.Spans.Count());
        Assert.Equal([metricsPath, tracesPath], receiver.Requests.Select(request => request.Path).Distinct().Order());
        Assert.All(receiver.Requests, request => Assert.Equal((contentType, "a b"), (request.ContentType, request.Key)));
        Assert.All(receiver.Resources, resource => Assert.Matches("service.name=plant,service.version=.*site=a", resource));
        Assert.DoesNotContain("telemetry:", program.Error, StringComparison.Ordinal);

        (double?, double?, double?, double?, double?, double?, double?) Counts() =>
            (Last(receiver, "meanwhile.messages.received"), Last(receiver, "meanwhile.messages.committed"), Last(receiver, "meanwhile.messages.quarantined"), Last(receiver, "meanwhile.messages.acknowledged"),
                Last(receiver, "meanwhile.series.readings", "topic=DATA,window=1min"), Last(receiver, "meanwhile.series.mean", "topic=DATA,window=1min"), Last(receiver, "meanwhile.series.mean", "topic=DATA,window=30min"));
    }

    [Theory]
    [InlineData("OTEL_SDK_DISABLED", "true", "")]
    [InlineData("OTEL_METRICS_EXPORTER", "none", "/v1/traces")]
    [InlineData("OTEL_TRACES_EXPORTER", "none", "/v1/metrics")]
    [InlineData("OTEL_TRACES_SAMPLER", "always_off", "/v1/metrics")]
    public async Task What_is_not_wanted_is_not_sent(string variable, string value, string sent)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var program = await AggregateAsync((Endpoint, receiver.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), (variable, value));
        using (var sender = await MqttSender.ConnectAsync(MqttPortOf(program)))
            await sender.SendAsync("DATA", "1");
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Equal(sent, string.Join(',', receiver.Requests.Select(request => request.Path).Distinct()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_collector_that_is_away_or_stuck_is_no_concern_of_the_data_paths_and_is_mentioned_once(bool isAway)
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        receiver.IsStuck = true;
        var address = isAway ? $"http://127.0.0.1:{MosquittoServer.FreePort()}" : receiver.Address;
        var program = await AggregateAsync(
            (Endpoint, address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "50"), ("OTEL_BSP_SCHEDULE_DELAY", "50"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "100"));
        using (var sender = await MqttSender.ConnectAsync(MqttPortOf(program)))
        {
            for (var i = 0; i < 500 || !program.Error.Contains("telemetry: ", StringComparison.Ordinal); i++)
                await sender.SendAsync("DATA", "1");
        }
        Assert.Equal(0, await program.TerminateAsync());
        Assert.Matches(@"ledger: received (\d+) = committed \1 .* acknowledged \1;", program.Error);
        var lines = program.Error.Split('\n').Where(line => line.Contains("telemetry: ", StringComparison.Ordinal)).ToList();
        Assert.True(lines.Count <= 3 && lines.Exists(line => line.Contains(address, StringComparison.Ordinal)), program.Error);
        Assert.DoesNotContain("   at ", program.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demo_sends_as_well()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var demo = Meanwhile(["demo"], (Endpoint, receiver.Address), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "100"));
        await demo.WaitAsync(() => Last(receiver, "meanwhile.messages.committed") >= 1, "a reading is committed");
        Assert.Equal(0, await demo.TerminateAsync());
        Assert.Contains(receiver.Spans, span => span.Name == "batch");
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "the address of a collector such as http://localhost:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "grpc or http/protobuf")]
    [InlineData("OTEL_METRICS_EXPORTER", "prometheus", "otlp or none")]
    [InlineData("OTEL_METRIC_EXPORT_INTERVAL", "1min", "a number of milliseconds such as 60000")]
    [InlineData("OTEL_SDK_DISABLED", "yes", "true or false")]
    public async Task What_cannot_be_understood_ends_it_at_once(string variable, string value, string expected)
    {
        var program = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"], (variable, value));
        Assert.Equal(2, await program.ExitAsync());
        Assert.Equal($"meanwhile: {variable} in the environment: '{value}' cannot be understood: expected {expected}\n", program.Error);
    }

    private async Task<RunningProgram> AggregateAsync(params (string, string)[] environment)
    {
        var program = Meanwhile(["aggregate", "--broker", "embedded://127.0.0.1:0"], environment);
        await program.SaysAsync("read back");
        return program;
    }

    private static double? Last(OtlpReceiver receiver, string metric, string attributes = "") =>
        receiver.Points.LastOrDefault(point => point.Metric == metric && point.Attributes == attributes)?.Value;

    private static int Tag(OtlpSpan span, string name) => int.Parse(span.Attributes.Split(',').Single(tag => tag.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..]);
}
