using System.Text.Json;
using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>What Home Assistant would hear, from a broker elsewhere and from the embedded one.</summary>
public sealed class HomeAssistantTests : MosquittoTest
{
    private const string Node = "homeassistant/sensor/meanwhile_subscriber/";

    // What stands in the documentation of Home Assistant's MQTT sensor and of its discovery.
    private static readonly string[] Known =
        ["name", "unique_id", "state_topic", "value_template", "availability_topic", "state_class", "unit_of_measurement", "device_class", "device", "origin"];

    [Fact]
    public async Task A_sensor_for_each_series_and_window_appears_and_knows_when_we_are_gone()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        var aggregate = await AggregateAsync(mosquitto, "--topic", "plant/+", "--windows", "60s,90s", "--home-assistant", "--home-assistant-unit", "°C", "--home-assistant-class", "temperature");
        await PublishAsync(mosquitto, "plant/a b\"", "21.5", "-q", "1");
        await PublishAsync(mosquitto, "plant/a_b\"", "7", "-q", "1");
        var home = await SubscribeAsync(mosquitto, "homeassistant/#", "%r %t %p");
        await home.WaitAsync(() => Configurations(home.Output).Count == 4, "four sensors are there");

        var sensors = Configurations(home.Output);
        foreach (var (topic, sensor) in sensors)
        {
            Assert.Matches("^homeassistant/sensor/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config$", topic);
            Assert.Empty(sensor.EnumerateObject().Select(member => member.Name).Except(Known));
            Assert.Equal(("°C", "temperature", "measurement"), (Text(sensor, "unit_of_measurement"), Text(sensor, "device_class"), Text(sensor, "state_class")));
            Assert.Equal("Meanwhile", Text(sensor.GetProperty("origin"), "name"));
            Assert.Equal(Node + "availability", Text(sensor, "availability_topic"));
        }
        Assert.Equal(4, sensors.Values.Select(sensor => Text(sensor, "unique_id")).Distinct().Count());
        Assert.Equal(
            [("plant/a b\"", "Mean 1min"), ("plant/a b\"", "Mean 90s"), ("plant/a_b\"", "Mean 1min"), ("plant/a_b\"", "Mean 90s")],
            sensors.Values.Select(sensor => (Text(sensor.GetProperty("device"), "name"), Text(sensor, "name"))).Order());
        Assert.Equal(2, sensors.Values.Select(sensor => sensor.GetProperty("device").GetProperty("identifiers")[0].GetString()).Distinct().Count());

        // The state is where the sensor says that it is.
        var one = sensors.Values.Single(sensor => Text(sensor.GetProperty("device"), "name") == "plant/a b\"" && Text(sensor, "name") == "Mean 90s");
        var state = await SubscribeAsync(mosquitto, Text(one, "state_topic"), "%p");
        await PublishAsync(mosquitto, "plant/a b\"", "22.5", "-q", "1");
        await state.WaitAsync(() => state.Output.Length > 0, "there is a result");
        Assert.Equal("{{ value_json.avg_90s }}", Text(one, "value_template"));
        Assert.Equal(22, JsonElement.Parse(state.Output).GetProperty("avg_90s").GetDouble());

        Assert.Contains($"{Node}availability online\n", home.Output, StringComparison.Ordinal);
        await aggregate.KillAsync();
        await home.WaitAsync(() => home.Output.EndsWith($"{Node}availability offline\n", StringComparison.Ordinal), "the broker says that we are gone");
        aggregate = await AggregateAsync(mosquitto, "--topic", "plant/+", "--home-assistant");
        await home.WaitAsync(() => home.Output.EndsWith("online\n", StringComparison.Ordinal) || home.Output.Contains("Mean 30min", StringComparison.Ordinal), "we are back");
        Assert.Equal(0, await aggregate.TerminateAsync());
        await home.WaitAsync(() => home.Output.EndsWith($"{Node}availability offline\n", StringComparison.Ordinal), "we have said that we are gone");
    }

    [Fact]
    public async Task Sensors_of_dead_series_are_taken_back_also_those_of_earlier_runs_and_of_nobody_else()
    {
        using var mosquitto = await MosquittoServer.StartAsync(Folder.Path);
        await PublishAsync(mosquitto, Node + "old_1min/config", "{}", "-r");
        await PublishAsync(mosquitto, "homeassistant/sensor/other/old_1min/config", "{}", "-r");
        var home = await SubscribeAsync(mosquitto, "homeassistant/#", "%r %t %p");
        var aggregate = await AggregateAsync(mosquitto, "--topic", "plant/#", "--home-assistant");
        await home.WaitAsync(() => home.Output.Contains($"0 {Node}old_1min/config \n", StringComparison.Ordinal), "what an earlier run has left is taken back");

        var dying = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 2100 + 15; // At the end of its retention.
        await PublishAsync(mosquitto, "plant/dying", $$"""{"number": 1, "epochtime": {{dying}}}""", "-q", "1");
        await PublishAsync(mosquitto, "plant/living", "2", "-q", "1");
        await home.WaitAsync(() => Configurations(home.Output).Count == 7, "six sensors are there"); // And the one of another program.
        await home.WaitAsync(() => Configurations(home.Output).Count == 4, "three are taken back");
        Assert.Equal(
            ["", "plant/living"],
            Configurations(home.Output).Values.Select(sensor => sensor.TryGetProperty("device", out var device) ? Text(device, "name") : "").Distinct().Order());

        // Home Assistant starts, and somebody has lost what was retained.
        var lost = Configurations(home.Output).Keys.First(topic => topic.StartsWith(Node, StringComparison.Ordinal));
        await PublishAsync(mosquitto, lost, "", "-r");
        await home.WaitAsync(() => Configurations(home.Output).Count == 3, "one is lost");
        await PublishAsync(mosquitto, "homeassistant/status", "online");
        await home.WaitAsync(() => Configurations(home.Output).Count == 4, "it is there again");
        Assert.Equal(0, await aggregate.TerminateAsync());
    }

    [Fact]
    public async Task With_the_embedded_broker_it_works_whoever_may_connect_and_is_no_reading_even_of_all_topics()
    {
        Peers.RequireProgram("mosquitto_sub");
        var passwd = Meanwhile(["passwd", "users", "home"]);
        await passwd.Input.WriteAsync("secret");
        passwd.Input.Close();
        Assert.Equal(0, await passwd.ExitAsync());
        var (aggregate, port) = await StartAsync();
        await SendAsync(port, "plant/a", "1");
        await SendAsync(port, "plant/b", "2");
        await aggregate.SaysAsync("Home Assistant: 1 series announced below " + Node);
        await aggregate.SaysAsync("Home Assistant: 1 series have no sensors, because of --home-assistant-series");
        await aggregate.KillAsync();

        (aggregate, port) = await StartAsync();
        await aggregate.SaysAsync("Home Assistant: 1 series announced");
        var home = Peer("mosquitto_sub", "-p", $"{port}", "-u", "home", "-P", "secret", "-q", "1", "-t", "homeassistant/#", "-F", "%r %t %p");
        await home.WaitAsync(() => Configurations(home.Output).Count == 3 && home.Output.Contains($"{Node}availability online\n", StringComparison.Ordinal), "they are retained");
        Assert.All(Configurations(home.Output).Values, sensor => Assert.Equal("STATS/plant/a", Text(sensor, "state_topic")));
        Assert.Equal(0, await aggregate.TerminateAsync());
        Assert.Contains("ledger: received 0 = ", aggregate.Error, StringComparison.Ordinal);
        Assert.EndsWith($"{Node}availability offline\n", home.Output, StringComparison.Ordinal);

        async Task<(RunningProgram, int)> StartAsync()
        {
            var program = Meanwhile(["aggregate", "--topic", "#", "--broker", "embedded://127.0.0.1:0", "--users", "users", "--home-assistant", "--home-assistant-series", "1"]);
            await program.SaysAsync("read back");
            return (program, int.Parse(program.Error.Split(": the embedded broker is listening")[0].Split(':')[^1]));
        }
    }

    [Fact]
    public async Task An_option_about_sensors_without_sensors_is_an_error()
    {
        var program = Meanwhile(["aggregate", "--home-assistant-unit", "K"]);
        Assert.Equal(2, await program.ExitAsync());
        Assert.Equal("meanwhile: --home-assistant-unit is about sensors that are not announced: expected --home-assistant as well\n", program.Error);
    }

    private async Task SendAsync(int port, string topic, string payload) =>
        Assert.Equal(0, await Peer("mosquitto_pub", "-p", $"{port}", "-u", "home", "-P", "secret", "-q", "1", "-t", topic, "-m", payload).ExitAsync());

    // What is retained by now, by what was heard; an empty one takes a sensor back.
    private static Dictionary<string, JsonElement> Configurations(string heard)
    {
        Dictionary<string, JsonElement> found = new(StringComparer.Ordinal);
        foreach (var parts in heard.Split('\n').SkipLast(1).Select(line => line.Split(' ', 3)).Where(parts => parts[1].EndsWith("/config", StringComparison.Ordinal)))
        {
            if (parts[2].Length == 0)
                found.Remove(parts[1]);
            else
                found[parts[1]] = JsonElement.Parse(parts[2]);
        }
        return found;
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}
