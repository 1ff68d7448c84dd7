using System.Text.Json;
using Meanwhile.HomeAssistant;
using Meanwhile.Pipeline;

namespace Meanwhile.Tests.HomeAssistant;

/// <summary>Configurations of sensors, of topics that publishers choose.</summary>
public class SensorsTests
{
    private readonly AggregatorOptions _aggregator = new("#", "STATS");

    [Fact]
    public void Topics_that_look_alike_have_sensors_of_their_own_and_hostile_ones_stay_texts()
    {
        string[] topics = ["a/b", "a_b", "a b", "A/B", "/", "//", " ", "😀", "{{ states('x') }}", "\"},\"x\":{\"", "$(reboot)", new string('x', 50), new string('x', 51), "../../config"];
        var sensors = topics.SelectMany(new Sensors(new AnnouncerOptions("homeassistant", "subscriber"), _aggregator).Of).ToList();
        Assert.Equal(topics.Length * 3, sensors.Select(sensor => sensor.Topic).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(sensors, sensor => Assert.Matches("^homeassistant/sensor/meanwhile_subscriber/[a-zA-Z0-9_-]{1,64}/config$", sensor.Topic));
        var configurations = sensors.ConvertAll(sensor => JsonElement.Parse(sensor.Configuration));
        Assert.Equal(topics, configurations.Select(sensor => sensor.GetProperty("device").GetProperty("name").GetString()!).Distinct());
        Assert.Equal(topics.Select(topic => $"STATS/{topic}"), configurations.Select(sensor => sensor.GetProperty("state_topic").GetString()!).Distinct());
        Assert.Equal(topics.Length * 3, configurations.Select(sensor => sensor.GetProperty("unique_id").GetString()).Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(configurations, sensor => Assert.Equal(7 + 1, sensor.EnumerateObject().Count()));
    }

    [Fact]
    public void A_sensor_takes_the_member_that_results_have()
    {
        var names = new ResultWriter(_aggregator.Windows, _aggregator.Statistics).Names;
        var sensors = new Sensors(new AnnouncerOptions("home", "a/b"), _aggregator);
        Assert.Equal(names.Select(name => $"{{{{ value_json.{name} }}}}"), sensors.Of("DATA").Select(sensor => JsonElement.Parse(sensor.Configuration).GetProperty("value_template").GetString()!));
        Assert.Matches("^home/sensor/meanwhile_a_b_[0-9a-f]{12}/$", sensors.Topics);
        Assert.True(Sensors.CanHave(new string('x', 1024)));
        Assert.False(Sensors.CanHave(new string('é', 513)));
    }
}
