using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Hosting.Cli;

/// <summary>Examples at the end of a command's help.</summary>
internal static class Examples
{
    private static readonly Dictionary<string, string[]> ByCommand = new()
    {
        ["hosting"] =
        [
            "hosting deploy shop --image shop:1.4 --port 8080 --replicas 3 --wait",
            "hosting status shop",
            "hosting servers -o json",
        ],
        ["deploy"] =
        [
            "hosting deploy shop --image shop:1.4 --port 8080 --replicas 3 --wait",
            "hosting deploy shop --image shop:1.4 --port 8080 --cpu 500 --memory 256 --env MODE=fast --health-path /healthz",
            "hosting deploy shop --image shop:1.5 --port 8080 --health-path /healthz --max-surge 2 --progress-deadline 60 --wait",
            "hosting deploy shop --image shop:1.4 --port 8080 --replicas 4 --constraint disk=ssd --placement allOrNothing",
            "hosting deploy shop -f shop.json --replicas 5 --dry-run",
        ],
        ["scale"] = ["hosting scale shop 5 --wait"],
        ["rollback"] = ["hosting rollback shop --wait", "hosting rollback shop --to 5"],
        ["delete"] = ["hosting delete shop --wait"],
        ["logs"] = ["hosting logs shop --tail 20", "hosting logs shop -f", "hosting logs shop --since 10m -o json"],
        ["containers"] = ["hosting containers --app shop", "hosting containers --server eu-1/srv-1 --all"],
        ["events"] = ["hosting events --app shop", "hosting events -f"],
        ["check"] = ["hosting servers check eu-1/srv-1", "hosting servers check srv-1 -o json"],
        ["cordon"] = ["hosting cordon eu-1/srv-1", "hosting cordon eu-1/srv-1/vm-2"],
        ["uncordon"] = ["hosting uncordon eu-1/srv-1"],
        ["drain"] = ["hosting drain eu-1/srv-1 --wait --timeout 600", "hosting drain srv-1/vm-2"],
        ["policy"] = ["hosting policy eu-1", "hosting policy eu-1 --lost-after 30 --moves-at-once 10"],
        ["thresholds"] = ["hosting thresholds eu-1 --admit 0.5 --evict 0.7", "hosting thresholds eu-1/srv-1 --admit 0.7", "hosting thresholds eu-1/srv-1 --reset"],
        ["explain"] =
        [
            "hosting explain --cpu 500 --memory 256 --region eu-1",
            "hosting explain --cpu 500 --memory 256 --app shop --constraint disk=ssd",
        ],
    };

    /// <summary>Makes <c>--help</c> end with the examples of its command.</summary>
    public static void AddTo(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((SynchronousCommandLineAction)help.Action!);
    }

    private sealed class HelpWithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            var command = parseResult.CommandResult.Command;
            if (ByCommand.TryGetValue(command is RootCommand ? "hosting" : command.Name, out var examples))
                Write(parseResult.InvocationConfiguration.Output, examples);
            return code;
        }

        private static void Write(TextWriter output, string[] examples)
        {
            output.WriteLine(examples.Length == 1 ? "Example:" : "Examples:");
            foreach (var example in examples) output.WriteLine($"  {example}");
            output.WriteLine();
        }
    }
}
