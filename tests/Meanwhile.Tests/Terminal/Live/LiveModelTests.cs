using Meanwhile.Terminal;
using Meanwhile.Terminal.Live;
using Microsoft.Extensions.Time.Testing;

namespace Meanwhile.Tests.Terminal.Live;

public class LiveModelTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly LiveModel _model;

    public LiveModelTests() => _model = new LiveModel("mqtt://broker STATS/#", _time);

    [Fact]
    public void A_row_shows_the_last_result_and_how_it_has_changed()
    {
        Add("a", 1, 5);
        Add("a", 2, 4);
        var row = Assert.Single(Page().Rows);
        Assert.Equal([new LiveCell("2", 1), new LiveCell("4", -1)], row.Cells);
        Assert.Equal(2, row.Results);
        Assert.Equal([1, 2], row.Recent);
        Assert.Equal(["avg_0", "avg_1"], Page().Columns);
    }

    [Fact]
    public void A_change_is_marked_for_three_seconds()
    {
        Add("a", 1);
        Add("a", 2);
        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(1, Page().Rows[0].Cells[0].Change);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(0, Page().Rows[0].Cells[0].Change);
        Add("a", 2);
        Assert.Equal(0, Page().Rows[0].Cells[0].Change);
    }

    [Fact]
    public void A_mean_of_nothing_is_an_empty_cell_and_no_change()
    {
        Add("a", 1);
        Add("a", [null]);
        Add("a", 3);
        Assert.Equal([1, null, 3], Page().Rows[0].Recent);
        Assert.Equal(new LiveCell("3", 0), Page().Rows[0].Cells[0]);
    }

    [Fact]
    public void Ages_grow_with_the_clock_and_silent_series_are_counted()
    {
        Add("old", 1);
        _time.Advance(TimeSpan.FromSeconds(61));
        Add("new", 1);
        var page = Page();
        Assert.Equal(1, page.Silent);
        Assert.Equal([(TimeSpan.Zero, false), (TimeSpan.FromSeconds(61), true)], page.Rows.Select(row => (row.Age, row.IsSilent)));
    }

    [Fact]
    public void Series_with_other_statistics_get_columns_of_their_own()
    {
        _model.Add("a", [new("avg_1min", 1)]);
        _model.Add("b", [new("p95_1min", 2), new("avg_1min", 3)]);
        var page = Page();
        Assert.Equal(["avg_1min", "p95_1min"], page.Columns);
        Assert.Equal(["1", ""], page.Rows[0].Cells.Select(cell => cell.Text));
        Assert.Equal(["3", "2"], page.Rows[1].Cells.Select(cell => cell.Text));
    }

    [Fact]
    public void The_key_s_goes_through_all_orders_and_r_turns_them_round()
    {
        Add("b", 1, null);
        _time.Advance(TimeSpan.FromSeconds(1));
        Add("c", 3, 7);
        Add("c", 3, 7);
        _time.Advance(TimeSpan.FromSeconds(1));
        Add("a", 2, 8);
        Assert.Equal("a b c", Topics());
        Assert.Equal("c b a", Topics("r"));
        Assert.Equal("c a b", Topics("s")); // By the first value, the largest first,
        Assert.Equal("b a c", Topics("r"));
        Assert.Equal("a c b", Topics("s")); // the second; who has none comes last,
        Assert.Equal("c a b", Topics("r"));
        Assert.Equal("c a b", Topics("s")); // the number of results,
        Assert.Equal("a c b", Topics("s")); // the age, the newest first.
        Assert.Equal("b c a", Topics("r"));
        Assert.Equal("a b c", Topics("s"));
        Add("b", 9, 9);
        Assert.Equal("b c a", Topics("s")); // A new value moves its series.
    }

    [Fact]
    public void The_filter_is_typed_kept_and_cleared()
    {
        Add("Plant/1", 1);
        Add("plant/2", 1);
        Add("house/1", 1);
        Assert.Equal("Plant/1 plant/2", Topics("/pLant"));
        Assert.True(Page().IsTyping);
        Assert.Equal("Plant/1 plant/2 house/1".Length, Topics("\b\b\b\b\b").Length);
        Assert.Equal("plant/2", Topics("q2\b\b2\r")); // While it is typed, q is a letter.
        Assert.False(Page().IsTyping);
        Assert.False(_model.IsOver);
        Assert.Equal(1, Page().Matching);
        Assert.Equal(3, Page().Series);
        Assert.Equal(3, Topics("\e").Split(' ').Length);
    }

    [Fact]
    public void The_cursor_stays_with_its_series_and_in_sight()
    {
        for (var i = 0; i < 100; i++)
            Add($"{i:00}", i);
        Assert.Equal((0, "00"), Selected(Page(10)));
        Press(ConsoleKey.DownArrow);
        Assert.Equal((0, "01"), Selected(Page(10)));
        Press(ConsoleKey.PageDown);
        Assert.Equal((2, "11"), Selected(Page(10)));
        Press(ConsoleKey.End);
        Assert.Equal((90, "99"), Selected(Page(10)));
        Press(ConsoleKey.UpArrow);
        Assert.Equal((94, "98"), Selected(Page(5))); // A smaller screen.
        Assert.Equal((40, "98"), Selected(Page(60))); // A larger one leaves no rows empty.
        Press("r");
        Assert.Equal((1, "98"), Selected(Page(10))); // It scrolls no further than it has to.
        Press(ConsoleKey.Home);
        Press("r");
        Assert.Equal((0, "00"), Selected(Page(10)));
        Press("/77\r");
        Assert.Equal((0, "77"), Selected(Page(10)));
        Press(ConsoleKey.PageUp);
        Press(ConsoleKey.PageDown);
        Assert.Equal((0, "77"), Selected(Page(10)));
    }

    [Fact]
    public void Keys_do_no_harm_where_there_is_nothing()
    {
        foreach (var key in Enum.GetValues<ConsoleKey>())
            Press(key);
        Press("srr//\b\b\r\e");
        Assert.Empty(Page().Rows);
        Assert.Empty(Page(0).Rows);
        Assert.Empty(Page(-3).Rows);
    }

    [Fact]
    public void Series_are_bounded_and_what_is_left_out_is_counted()
    {
        for (var i = 0; i < 50_001; i++)
            Add($"{i}", i);
        Add("0", 5);
        Add("50000", 5);
        Assert.Equal((50_000, 50_003L, 2L), (Page().Series, Page().Results, Page().LeftOut));
    }

    [Fact]
    public void Names_of_statistics_are_bounded()
    {
        for (var i = 0; i < 100; i++)
            _model.Add("a", [new($"avg_{i}", i)]);
        Assert.Equal(64, Page().Columns.Count);
        Assert.Equal(64, Page().Rows[0].Cells.Count);
    }

    [Fact]
    public void Connection_and_log_are_shown()
    {
        Assert.Equal(("connecting", false), (Page().State, Page().IsConnected));
        _model.Connect(true);
        _model.Say("one\e[2J");
        Assert.Equal(("connected", true, "one\uFFFD[2J"), (Page().State, Page().IsConnected, Page().Log));
        _model.Connect(false);
        Assert.Equal(("reconnecting", false), (Page().State, Page().IsConnected));
    }

    [Fact]
    public void Q_leaves()
    {
        Press("q");
        Assert.True(_model.IsOver);
    }

    private LivePage Page(int rows = 1000) => _model.Page(rows);

    private void Add(string topic, params double?[] values) => _model.Add(topic, [.. values.Select((value, i) => new StatsMember($"avg_{i}", value))]);

    private string Topics(string keys = "")
    {
        Press(keys);
        return string.Join(' ', Page().Rows.Select(row => row.Topic));
    }

    private static (int First, string Topic) Selected(LivePage page) => (page.FirstRow, Assert.Single(page.Rows, row => row.IsSelected).Topic);

    private void Press(ConsoleKey key) => _model.Press(new ConsoleKeyInfo('\0', key, shift: false, alt: false, control: false));

    private void Press(string keys)
    {
        foreach (var key in keys)
        {
            var name = key switch { '\r' => ConsoleKey.Enter, '\e' => ConsoleKey.Escape, '\b' => ConsoleKey.Backspace, _ => ConsoleKey.None };
            _model.Press(new ConsoleKeyInfo(key, name, shift: false, alt: false, control: false));
        }
    }
}
