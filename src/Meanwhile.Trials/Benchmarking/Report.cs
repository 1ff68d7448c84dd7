namespace Meanwhile.Trials.Benchmarking;

/// <summary>What a row of a report is about.</summary>
internal enum RowKind
{
    /// <summary>This program, or another build of it.</summary>
    Program,

    /// <summary>What no program can be faster than.</summary>
    Floor,

    /// <summary>What people would use instead.</summary>
    Baseline,
}

/// <summary>A number over the rounds.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Unit">Such as messages/s; % for a ratio, as a fraction of 1.</param>
/// <param name="Rounds">The number in each round.</param>
internal sealed record Figure(string Name, string Unit, IReadOnlyList<double> Rounds)
{
    public double Median => Rounds.Order().ElementAt(Rounds.Count / 2);

    public double Lowest => Rounds.Min();

    public double Highest => Rounds.Max();

    /// <summary>With its unit.</summary>
    public string Title => Unit == "%" || Unit == Name ? Name : $"{Name}, {Unit}";

    /// <summary>A value for a person.</summary>
    public string Show(double value) => Unit switch
    {
        "%" => $"{value:P1}",
        _ when Math.Abs(value) >= 1000 => $"{value:N0}",
        _ when Math.Abs(value) >= 10 => $"{value:N1}",
        _ => $"{value:N3}",
    };
}

/// <summary>What was found out about one competitor.</summary>
/// <param name="Size">What it was measured at; null where there is only one.</param>
/// <param name="Figures">The first is what the scenario is about.</param>
internal sealed record Row(string Name, RowKind Kind, long? Size, IReadOnlyList<Figure> Figures)
{
    /// <summary>What there is to say in words, by what it is about.</summary>
    public IReadOnlyList<(string Name, string Text)> Remarks { get; init; } = [];

    public Figure? Find(string figure) => Figures.FirstOrDefault(f => f.Name == figure);
}

/// <summary>What a scenario has found out.</summary>
/// <param name="Name">The scenario's.</param>
/// <param name="Title">What was measured, in a line.</param>
/// <param name="SizeName">What differs between sizes; null where there is only one.</param>
/// <param name="ChartFigure">The figure that its chart shows.</param>
/// <param name="Findings">What is wrong with the account of the messages.</param>
/// <param name="Notes">What a reader has to know.</param>
internal sealed record ScenarioReport(
    string Name, string Title, string? SizeName, string ChartFigure, IReadOnlyList<Row> Rows, IReadOnlyList<string> Findings, IReadOnlyList<string> Notes);

/// <summary>Rows of a report from the runs of a competitor.</summary>
internal static class Rows
{
    public const string Rate = "messages/s";

    /// <summary>What a message has cost, and how that compares with what nobody can beat.</summary>
    /// <param name="floors">Their names and rates, round by round as those of the runs.</param>
    public static Row Of(string name, RowKind kind, long? size, IReadOnlyList<RoundResult> runs, IEnumerable<(string Name, IReadOnlyList<double> Rates)> floors)
    {
        List<Figure> figures = [Over(Rate, Rate, run => run.Rate), Over("CPU", "µs", run => run.Cpu)];
        if (!double.IsNaN(runs[0].BrokerCpu))
            figures.Add(Over("broker's CPU", "µs", run => run.BrokerCpu));
        figures.Add(Over("load's CPU", "µs", run => run.LoadCpu));
        if (!double.IsNaN(runs[0].Batch))
            figures.Add(Over("a commit", "messages", run => run.Batch));
        figures.Add(Over("resident", "MiB", run => run.ResidentMebibytes));
        figures.AddRange(floors.Select(floor => Ratio(floor.Name, figures[0], floor.Rates)));
        return new Row(name, kind, size, figures);

        Figure Over(string figure, string unit, Func<RoundResult, double> of) => new(figure, unit, [.. runs.Select(of)]);
    }

    /// <summary>A figure beside its floor, round by round.</summary>
    public static Figure Ratio(string floor, Figure figure, IReadOnlyList<double> floors) =>
        new("of " + floor, "%", [.. figure.Rounds.Zip(floors, (value, limit) => value / limit)]);
}
