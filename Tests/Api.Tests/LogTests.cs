using System.Net.ServerSentEvents;
using Hosting.Placement;
using Hosting.Servers;

namespace Hosting.Api.Tests;

/// <summary>What a client may ask of logs, and how it is answered.</summary>
public sealed class LogTests(ApiHost api) : IAsyncLifetime
{
    private const string Container = "talker-aaaa1111";
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        if (!api.World.Logs.TryAdd(Container, [Line(1, "one"), Line(2, "two", error: true), Line(3, "three")])) return;
        (await api.Send("PUT", "/v1/apps/talker", """{"image":"i","port":1}""")).Is(201);
        await api.Pool.AddRegions(["eu-8"], Cancel);
        var epoch = await api.Pool.RaiseEpoch("eu-8", Cancel);
        await api.Deployments.Insert("eu-8", epoch, [Record(Container, "talker"), Record("talker-over0000", "talker"), Record("other-bbbb2222", "other")], Cancel);
        await api.Deployments.End("eu-8", epoch, [new("talker-over0000", ContainerState.Failed, "it crashed")], Noon, Cancel);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Lines_have_container_time_stream_and_text()
    {
        var lines = (await api.Send("GET", "/v1/apps/talker/logs?tail=2")).Is(200);
        Assert.Equal(
            """[{"container":"talker-aaaa1111","at":"2026-01-02T12:00:02+00:00","stream":"stderr","text":"two"},{"container":"talker-aaaa1111","at":"2026-01-02T12:00:03+00:00","stream":"stdout","text":"three"}]""",
            lines.Text);
        Assert.Empty((await api.Send("GET", "/v1/apps/talker/logs?tail=0")).Is(200).Json!.AsArray());
        Assert.Single((await api.Send("GET", "/v1/apps/talker/logs?since=2026-01-02T12:00:03Z")).Is(200).Json!.AsArray());
    }

    [Fact]
    public async Task Plain_text_is_answered_to_those_who_ask_for_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/apps/talker/logs?tail=1");
        request.Headers.Accept.ParseAdd("text/plain");
        using var response = await api.Http.SendAsync(request, Cancel);
        Assert.Equal("2026-01-02T12:00:03.000Z talker-aaaa1111 three\n", await response.Content.ReadAsStringAsync(Cancel));
    }

    [Theory]
    [InlineData("tail=-1", "tail", "0 to 10000")]
    [InlineData("tail=10001", "tail", "0 to 10000")]
    [InlineData("tail=many", "tail", "a whole number")]
    [InlineData("since=soon", "since", "a time such as")]
    [InlineData("since=12:00", "since", "a time such as")]
    [InlineData("since=99999d", "since", "a time such as")]
    [InlineData("since=1950-01-01", "since", "a time such as")]
    [InlineData("follow=perhaps", "follow", "true or false")]
    [InlineData("container=other-bbbb2222", "container", "not a container of the app 'talker'. It has talker-aaaa1111.")]
    [InlineData("container=talker-zzzz9999&follow=true", "container", "not a container of the app 'talker'")]
    public async Task Bad_input_says_what_would_be_right(string query, string field, string message) =>
        Assert.Contains(message, Assert.Single((await api.Send("GET", $"/v1/apps/talker/logs?{query}")).IsProblem(400).Errors(field)), StringComparison.Ordinal);

    [Theory]
    [InlineData("/v1/apps/nothing/logs")]
    [InlineData("/v1/apps/nothing/logs?follow=true")]
    [InlineData("/v1/apps/nothing/logs?container=nothing-1")]
    [InlineData("/v1/apps/No-Label/logs")]
    public async Task An_unknown_app_is_not_found(string path) => (await api.Send("GET", path)).IsProblem(404);

    [Fact]
    public async Task A_container_that_is_over_is_named_with_its_reason() =>
        Assert.Contains("is over (Failed: it crashed), and its log went with it",
            (await api.Send("GET", "/v1/apps/talker/logs?container=talker-over0000")).IsProblem(404).Text, StringComparison.Ordinal);

    [Theory]
    [InlineData("yesterday")]
    [InlineData("1")]
    [InlineData("aaaa1111.zz.1")]
    [InlineData("aaaa1111.1.1~")]
    [InlineData("aaaa1111.1.-1")]
    [InlineData("AAAA.1.1")]
    public async Task A_last_event_id_must_be_one_of_a_line(string id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/apps/talker/logs?follow=true");
        request.Headers.Add("Last-Event-ID", id);
        using var response = await api.Http.SendAsync(request, Cancel);
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Fact]
    public async Task Followed_lines_have_ids_with_which_a_client_goes_on()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        var ids = await Follow(null, "one", "two", "three");
        Assert.Equal(3, ids.Distinct().Count());
        Assert.Equal(ids[1..], await Follow(ids[0], "two", "three"));
        Assert.Equal(ids[2..], await Follow(ids[1], "three"));

        async Task<List<string>> Follow(string? last, params string[] texts)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/apps/talker/logs?follow=true");
            if (last is not null) request.Headers.Add("Last-Event-ID", last);
            using var response = await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            Assert.Equal("text/event-stream", response.EnsureSuccessStatusCode().Content.Headers.ContentType!.MediaType);
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            var seen = new List<string>();
            await foreach (var item in SseParser.Create(body).EnumerateAsync(limit.Token))
            {
                Assert.Contains($"\"text\":\"{texts[seen.Count]}\"", item.Data, StringComparison.Ordinal);
                seen.Add(item.EventId!);
                if (seen.Count == texts.Length) break;
            }
            return seen;
        }
    }

    private static LogLine Line(int second, string text, bool error = false) =>
        new(LogPosition.Since(Noon.AddSeconds(second)) with { Count = 1 }, error, text);

    private static ContainerRecord Record(string id, string app) => new()
    {
        Id = id, App = app, Revision = 1, Region = "eu-8", Server = "srv-1", Vm = "vm-1", Demand = new(100, 64), State = ContainerState.Placed, CreatedAt = Noon,
    };
}
