using System.Text.Json;
using System.Xml.Linq;
using Meanwhile.Trials.Benchmarking;

namespace Meanwhile.Tests.Trials;

public class ReportTests
{
    private static readonly ScenarioReport Bars = new(
        "ingest", "as fast as it goes", SizeName: null, Rows.Rate,
        [
            new Row("floor", RowKind.Floor, Size: null, [new Figure(Rows.Rate, Rows.Rate, [3000, 1000, 2000])]),
            new Row("ours <>", RowKind.Program, Size: null, [new Figure(Rows.Rate, Rows.Rate, [500]), new Figure("CPU", "µs", [1.25]), new Figure("of floor", "%", [0.25])]),
        ],
        ["one is missing"], ["a note"]);

    [Fact]
    public void A_table_shows_medians_and_of_the_first_figure_the_spread()
    {
        var output = new StringWriter();
        ReportTable.Write(output, Bars);
        Assert.Equal(
            """
            ingest: as fast as it goes
                     messages/s  lowest–highest  CPU, µs  of floor
            floor         2,000     1,000–3,000
            ours <>       500.0     500.0–500.0    1.250    25.0 %
              a note
            finding: one is missing


            """,
            output.ToString());
    }

    [Fact]
    public void Remarks_are_columns_of_words_behind_the_figures()
    {
        var output = new StringWriter();
        ReportTable.Write(output, Bars with { Rows = [.. Bars.Rows.Select((row, i) => i == 0 ? row : row with { Remarks = [("goals", "held"), ("held by", "a limit")] })], Findings = [], Notes = [] });
        Assert.Equal(
            """
            ingest: as fast as it goes
                     messages/s  lowest–highest  CPU, µs  of floor  goals  held by
            floor         2,000     1,000–3,000
            ours <>       500.0     500.0–500.0    1.250    25.0 %  held   a limit


            """,
            output.ToString());
    }

    [Fact]
    public void JSON_holds_every_round()
    {
        var output = new MemoryStream();
        var options = new BenchOptions(null, OwnMosquitto: false, null, null, 1, TimeSpan.FromSeconds(2), 3, null, null, [], [], [], "");
        ReportJson.Write(output, options, "a file", DateTimeOffset.UnixEpoch, [Bars]);
        var json = JsonDocument.Parse(output.ToArray()).RootElement;
        Assert.Equal(("1970-01-01T00:00:00Z", "embedded", "a file", 2), (Text(json, "began"), Text(json, "broker"), Text(json, "store"), json.GetProperty("seconds").GetDouble()));
        var scenario = json.GetProperty("scenarios")[0];
        var rate = scenario.GetProperty("rows")[0].GetProperty("figures").GetProperty(Rows.Rate);
        Assert.Equal((2000, 1000, 3000, 3), (rate.GetProperty("median").GetDouble(), rate.GetProperty("lowest").GetDouble(), rate.GetProperty("highest").GetDouble(), rate.GetProperty("rounds").GetArrayLength()));
        Assert.Equal(("program", "ours <>"), (Text(scenario.GetProperty("rows")[1], "kind"), Text(scenario.GetProperty("rows")[1], "name")));
        Assert.Equal("one is missing", scenario.GetProperty("findings")[0].GetString());
    }

    [Fact]
    public void A_chart_is_well_formed_and_shows_each_row()
    {
        var bars = XDocument.Parse(Chart.Draw(Bars));
        Assert.Contains(bars.Descendants(), element => element.Value == "ours <>");
        Assert.Contains(bars.Descendants(), element => element.Value == "2,000");

        var lines = XDocument.Parse(Chart.Draw(Bars with
        {
            SizeName = "rows",
            Rows = [.. new long[] { 1, 1000 }.Select(size => new Row("ours", RowKind.Program, size, [new Figure(Rows.Rate, Rows.Rate, [size + 5, size + 7])]))],
        }));
        Assert.Single(lines.Descendants(), element => element.Name.LocalName == "polyline");
        Assert.Equal(2, lines.Descendants().Count(element => element.Name.LocalName == "circle"));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
