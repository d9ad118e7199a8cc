using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hosting.Cli.Commands;

/// <summary><c>hosting deploy</c>: a spec from a file, from options, or from both.</summary>
internal sealed class DeployCommand
{
    private const int MostBytes = 1 << 20;

    private static readonly JsonDocumentOptions Reading = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly Argument<string?> _name = new("name")
    {
        Description = "Name of the app: lower-case letters, digits and dashes. May stand in the file instead.", Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string?> _file = new("--file", "-f")
    {
        Description = "The spec as JSON, - for the standard input. Options change what it says.", HelpName = "FILE",
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Check it, and change nothing." };
    private readonly WaitOptions _waiting = new("Wait until every replica is healthy.");

    private readonly Option<string?> _image = new("--image") { Description = "Image, as the container engine knows it.", HelpName = "IMAGE" };
    private readonly Option<int?> _port = Whole.Option("--port", "TCP port that the app listens on.", "PORT");
    private readonly Option<int?> _replicas = Whole.Option("--replicas", "Replicas over all regions (1).", "N");
    private readonly Option<int?> _cpu = Whole.Option("--cpu", "CPU of a replica, in thousandths of a core (100).", "MILLIS");
    private readonly Option<int?> _memory = Whole.Option("--memory", "Memory of a replica, in MiB (128).", "MIB");
    private readonly Option<string[]> _regions = Several(
        "--region", "Region to run in, with its number of replicas (eu-1=2) or without: an even share; once for each. Otherwise all.", "REGION[=N]");
    private readonly Option<int?> _minPerRegion = Whole.Option("--min-per-region", "Replicas that each region has at least (0).", "N");
    private readonly Option<bool?> _readOnlyRoot = new("--read-only-root") { Description = "Containers cannot write to their image's files, only to /tmp and /run.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool?> _failover = new("--failover") { Description = "Others run the share of a region that is away, until it is back.", Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string[]> _hostnames = Several("--hostname", "Host name of the app's own; once for each.", "HOST");
    private readonly Option<string[]> _env = Several("--env", "Environment variable; once for each.", "KEY=VALUE");
    private readonly Option<string[]> _command = Several("--command", "Replaces the image's entry point; once for each word.", "WORD");
    private readonly Option<string[]> _args = Several("--arg", "Replaces the image's arguments; once for each word.", "WORD");
    private readonly HealthOptions _health = new();

    private readonly Option<string?> _spread = PlacementOptions.Spread();
    private readonly Option<string[]> _constraints = PlacementOptions.Constraints();
    private readonly Option<string?> _placement = PlacementOptions.Mode();

    private DeployCommand()
    {
    }

    public static Command Create(Shell shell)
    {
        var deploy = new DeployCommand();
        var command = new Command("deploy", "Create an app, or change it.") { deploy._name };
        foreach (var option in deploy.Options()) command.Options.Add(option);
        deploy._waiting.AddTo(command);
        shell.Bind(command, deploy.Run);
        return command;
    }

    private IEnumerable<Option> Options() =>
        [_image, _port, _replicas, _cpu, _memory, _regions, _minPerRegion, _failover, _readOnlyRoot, _env, _hostnames, _command, _args, .. _health.Options,
            _spread, _constraints, _placement, _file, _dryRun];

    private async Task Run(Invocation call, CancellationToken cancel)
    {
        var arguments = call.Arguments;
        var spec = arguments.GetValue(_file) is { } file ? await Read(file, call.Terminal, cancel) : new JsonObject();
        var name = arguments.GetValue(_name) ?? NameIn(spec) ?? throw CommandException.Usage("Which app? Give its name: hosting deploy NAME ...");
        spec.Remove("name");
        Apply(arguments, spec);
        if (arguments.GetValue(_file) is null && (spec["image"] is null || spec["port"] is null))
            throw CommandException.Usage("Give --image and --port, or a spec with -f FILE. See: hosting deploy --help");
        await Deployment.Put(call, name, spec, arguments.GetValue(_dryRun), _waiting, cancel);
    }

    private void Apply(ParseResult given, JsonObject spec)
    {
        Set("image", given.GetValue(_image));
        Set("port", given.GetValue(_port));
        Set("replicas", given.GetValue(_replicas));
        Set("cpuMillis", given.GetValue(_cpu));
        Set("memoryMiB", given.GetValue(_memory));
        if (given.GetValue(_regions) is { Length: > 0 } regions) spec["regions"] = RegionOption.Json(regions);
        Set("minPerRegion", given.GetValue(_minPerRegion));
        Set("failover", given.GetValue(_failover));
        Set("readOnlyRoot", given.GetValue(_readOnlyRoot));
        SetList("hostnames", given.GetValue(_hostnames));
        SetList("command", given.GetValue(_command));
        SetList("args", given.GetValue(_args));
        Set("spread", given.GetValue(_spread));
        Set("placement", given.GetValue(_placement));
        Pairs.Set(spec, "env", "--env", given.GetValue(_env));
        Pairs.Set(spec, "constraints", "--constraint", given.GetValue(_constraints));
        _health.Apply(given, spec);

        void Set(string field, JsonNode? value)
        {
            if (value is not null) spec[field] = value;
        }

        void SetList(string field, string[]? values)
        {
            if (values is { Length: > 0 }) spec[field] = new JsonArray([.. values.Select(value => (JsonNode)value)]);
        }
    }

    private static string? NameIn(JsonObject spec) => spec["name"] is JsonValue value && value.TryGetValue<string>(out var name) ? name : null;

    private static async Task<JsonObject> Read(string file, Terminal terminal, CancellationToken cancel)
    {
        try
        {
            if (file != "-" && new FileInfo(file).Length > MostBytes) throw CommandException.Usage($"{file} is over 1 MiB: that is no app's spec.");
            var text = file == "-" ? await terminal.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(file, cancel);
            return JsonNode.Parse(text, documentOptions: Reading) as JsonObject ?? throw CommandException.Usage($"{file} does not hold a JSON object.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"{file} can not be read: {e.Message}");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw CommandException.Usage($"{file} is not valid JSON: {e.Message}");
        }
    }

    private static Option<string[]> Several(string name, string description, string unit) =>
        new(name) { Description = description, HelpName = unit, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
}
