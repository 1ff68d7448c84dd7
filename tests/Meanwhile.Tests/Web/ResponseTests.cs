using System.Text;
using Meanwhile.History;
using Meanwhile.Stores;
using Meanwhile.Web;
using Microsoft.AspNetCore.Http;

namespace Meanwhile.Tests.Web;

/// <summary>Answers are bounded, and pages of them put together are the whole.</summary>
public sealed class ResponseTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Pages_of_readings_are_all_of_them_once_also_when_many_have_one_time_and_others_come_meanwhile(int limit)
    {
        var random = new Random(limit);
        var readings = Enumerable.Range(0, 200).Select(i => new Reading(i % 3 == 0 ? "other" : "a", 1000 + random.Next(20), i)).OrderBy(reading => reading.Time).ToList();
        var expected = readings.Where(reading => reading.Series == "a").ToList();
        List<Reading> found = [];
        for (Position? next = default(Position); next is { } after;)
        {
            var page = new ReadingsPage(series => series == "a", limit, after);
            next = page.Take(readings.Where(reading => reading.Time >= after.Time), reading =>
            {
                found.Add(reading);
                return true;
            });
            // One more of a time that was passed, and one of the time at which the page ended: the newest of its time.
            readings = [.. readings.Append(new Reading("a", 999, -1)).Append(new Reading("other", next?.Time ?? 1000, -1)).OrderBy(reading => reading.Time)];
        }
        Assert.Equal(expected, found);
    }

    [Fact]
    public void A_page_of_readings_ends_where_it_is_full()
    {
        var readings = Enumerable.Range(0, 5).Select(i => new Reading("a", 1000, i)).ToList();
        var count = 0;
        var next = new ReadingsPage(_ => true, limit: 100, default).Take(readings, _ => ++count < 2);
        Assert.Equal((2, new Position(1000, 2)), (count, next));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public void Pages_of_topics_are_all_of_them_in_their_order(int limit)
    {
        var random = new Random(limit);
        var topics = Enumerable.Range(0, 50).Select(i => $"t{i}").ToArray();
        var (found, after) = (new List<string>(), default(string));
        do
        {
            random.Shuffle(topics);
            var page = new TopicPage(topic => topic != "t7", after, limit);
            foreach (var topic in topics)
                page.Add(topic, out _);
            var written = page.Topics.Take(random.Next(1, limit + 1)).ToList(); // The answer may be full before the page is.
            found.AddRange(written);
            page.Written(written[^1]);
            after = page.Next;
        }
        while (after is not null);
        Assert.Equal(topics.Where(topic => topic != "t7").Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public async Task An_answer_in_pieces_is_the_same_text_and_is_given_back()
    {
        var memory = new ResponseMemory(TimeProvider.System);
        var context = new DefaultHttpContext();
        var sent = new MemoryStream();
        context.Response.Body = sent;
        var expected = new StringBuilder();
        using (var answer = new ResponseBuffer(memory))
        {
            foreach (var length in new[] { 1, 20_000, 3, 200_000, 70_000, 0, 5 })
            {
                var text = new string((char)('a' + (length % 20)), length) + "é";
                answer.Write(text);
                expected.Append(text);
            }
            Assert.InRange(memory.Held, 290_000, 1 << 20);
            await answer.SendAsync(context, "text/plain");
        }
        Assert.Equal(expected.ToString(), Encoding.UTF8.GetString(sent.ToArray()));
        Assert.Equal((0, sent.Length), (memory.Held, context.Response.ContentLength));
    }

    [Fact]
    public void When_all_answers_hold_too_much_the_next_large_one_is_refused_and_small_ones_are_not()
    {
        var memory = new ResponseMemory(TimeProvider.System);
        List<ResponseBuffer> answers = [];
        var refusal = Assert.Throws<ProblemException>(() =>
        {
            while (memory.Held < 1L << 30)
            {
                answers.Add(new ResponseBuffer(memory));
                while (!answers[^1].IsFull)
                    answers[^1].Write(new string('x', 50_000));
            }
        });
        Assert.Equal(429, refusal.Status);
        Assert.InRange(memory.Held, 16 << 20, 24 << 20);
        using (var small = new ResponseBuffer(memory))
            small.Write("ok");
        answers.ForEach(answer => answer.Dispose());
        Assert.Equal(0, memory.Held);
    }
}
